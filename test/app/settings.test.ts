import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import type { Browser, Page } from 'playwright-core'
import type { Me, SignInLink } from '../../contract/api.ts'
import { axeFaults } from '../support/axe.ts'
import { openPage, signIn, startBrowser } from '../support/browser.ts'
import { startCoordinator, type TestCoordinator } from '../support/coordinator.ts'
import { startRedis, type TestRedis } from '../support/redis.ts'

const SMALL = { viewport: { width: 320, height: 640 }, hasTouch: true, isMobile: true, serviceWorkers: 'block' } as const

let redis: TestRedis
let server: TestCoordinator
let browser: Browser

beforeAll(async () => {
  redis = await startRedis()
  server = await startCoordinator({ redisUrl: redis.url })
  browser = await startBrowser()
}, 60_000)
afterAll(async () => {
  await browser?.close()
  await server?.stop()
  await redis?.stop()
})

const api = async <T>(path: string, method = 'GET', body?: unknown): Promise<T> => {
  const headers = { authorization: `Bearer ${server.ownerToken}`, 'content-type': 'application/json' }
  const response = await fetch(server.url + path, { method, headers, ...(body !== undefined && { body: JSON.stringify(body) }) })
  return (await response.json()) as T
}
const visit = async (): Promise<Page> => {
  const { page } = await openPage(browser, SMALL)
  await signIn(page, (await api<SignInLink>('/auth/links', 'POST')).url)
  return page
}

describe('the sign-in', () => {
  it('asks which ways there are, and for nothing that is not there', async () => {
    const { page } = await openPage(browser, SMALL)
    const statuses = new Map<string, number>()
    page.on('response', (response) => statuses.set(new URL(response.url()).pathname, response.status()))
    await page.goto(`${server.url}/sign-in`)
    await page.getByText('npx errand link').waitFor()
    expect(await page.getByRole('link', { name: 'Continue with GitHub' }).count()).toBe(0)
    expect(statuses.get('/auth/ways')).toBe(200)
    // That nobody is signed in is what the app asks first.
    expect([...statuses].filter(([path, status]) => status >= 400 && path !== '/api/me')).toEqual([])
  })
})

describe('the budget', () => {
  it('of one’s own is what new tasks get, until it is taken back', async () => {
    const page = await visit()
    await page.goto(`${server.url}/settings`)
    await page.getByText('This server works with the demo model, which costs nothing.').waitFor()
    const field = page.getByLabel('For each task, US dollars')
    await field.fill('0')
    await page.getByText('A number above 0 and up to 1000').waitFor()
    expect(await axeFaults(page)).toEqual([])
    await field.fill('0,75')
    await page.getByRole('button', { name: 'Save' }).click()
    await page.getByText('Saved. New tasks get $0.75.').waitFor()
    expect(await api<Me>('/api/me')).toMatchObject({ defaultBudgetUsd: 0.75 })
    await page.goto(`${server.url}/new`)
    await page.getByText('Branch, model, budget').click()
    expect(await page.getByLabel('Budget, US dollars').getAttribute('placeholder')).toBe('$0.75')
    await page.goto(`${server.url}/settings`)
    await field.fill('')
    await page.getByRole('button', { name: 'Save' }).click()
    await page.getByText('Saved. New tasks get $5.').waitFor()
    expect(await api<Me>('/api/me')).toMatchObject({ defaultBudgetUsd: 5, ownBudgetUsd: null })
  })
})

describe('without a network', () => {
  it('the projects and the settings are there as they were, and say how old they are; what cannot be changed says what to do', async () => {
    const page = await visit()
    await page.goto(`${server.url}/projects`)
    await page.getByRole('button', { name: 'Add a repository' }).click()
    await page.getByLabel('Address').fill('https://github.com/a/kept')
    await page.getByRole('button', { name: 'Save' }).click()
    await page.getByRole('heading', { name: 'kept' }).waitFor()
    await page.goto(`${server.url}/settings`)
    await page.getByText('this device', { exact: true }).waitFor()
    await page.getByText('No host yet.').waitFor()
    await page.route('**/api/**', (route) => route.abort())
    await page.reload()
    await page.getByText('this device', { exact: true }).waitFor()
    expect(await page.getByText(/^As of /).count()).toBe(4)
    expect(await axeFaults(page)).toEqual([])
    await page.getByRole('button', { name: 'Sign out everywhere' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Sign out everywhere' }).click()
    await page.getByRole('alert').getByText('Check the network, then try again.').waitFor()
    await page.goto(`${server.url}/projects`)
    await page.getByRole('heading', { name: 'kept' }).waitFor()
    await page.getByText(/^As of /).waitFor()
    expect(await axeFaults(page)).toEqual([])
    await page.unroute('**/api/**')
    await page.reload()
    await page.getByRole('heading', { name: 'kept' }).waitFor()
    expect(await page.getByText(/^As of /).count()).toBe(0)
  })
})

describe('the filters of the list', () => {
  it('stand in the address, and the way back leads to the same list', async () => {
    const page = await visit()
    const { demoRepoUrl } = await api<Me>('/api/me')
    await api('/api/tasks', 'POST', { repoUrl: demoRepoUrl, prompt: 'one of two' })
    await page.getByRole('link', { name: /one of two/ }).waitFor()
    await page.getByLabel('Status').selectOption('Waiting')
    await page.getByLabel('Repository').selectOption(demoRepoUrl)
    await page.waitForURL('**/?status=pending&repository=*')
    await page.getByRole('link', { name: /one of two/ }).click()
    await page.waitForURL('**/task/*')
    await page.goBack()
    await page.getByRole('link', { name: /one of two/ }).waitFor()
    expect(await page.getByLabel('Status').inputValue()).toBe('pending')
    expect(await page.getByLabel('Repository').inputValue()).toBe(demoRepoUrl)
    await page.goto(`${server.url}/?status=failed`)
    await page.getByRole('heading', { name: 'No task matches' }).waitFor()
    await page.getByRole('button', { name: 'Clear search and filters' }).click()
    await page.getByRole('link', { name: /one of two/ }).waitFor()
    expect(page.url()).toBe(`${server.url}/`)
  })
})
