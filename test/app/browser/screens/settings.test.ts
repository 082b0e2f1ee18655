import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import type { Page } from 'playwright-core'
import { encode } from 'uqr'
import type { Me } from '../../../../contract/api/api.ts'
import type { Overview } from '../../../../contract/api/overview.ts'
import { axeFaults } from '../../../support/browser/axe.ts'
import { crashOn, openPage } from '../../../support/browser/browser.ts'
import { waitFor } from '../../../support/checks/wait.ts'
import { addUser } from '../../../support/systems/people.ts'
import { type Phone, SMALL, startPhone } from '../phone.ts'

let phone: Phone
let server: Phone['server']

beforeAll(async () => {
  phone = await startPhone()
  server = phone.server
})
afterAll(() => phone?.stop())

describe('the sign-in', () => {
  it('asks which ways there are, and for nothing that is not there', async () => {
    const { page } = await openPage(phone.browser, SMALL)
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
    const page = await phone.visit()
    await page.goto(`${server.url}/settings`)
    await page.getByText('This server uses the demo model, which costs nothing.').waitFor()
    const field = page.getByLabel('Per task (US dollars)')
    await field.fill('0')
    await page.getByText('Enter a number above 0, up to 1,000').waitFor()
    expect(await axeFaults(page)).toEqual([])
    await field.fill('0,75')
    await page.getByRole('button', { name: 'Save' }).click()
    await page.getByText('Saved. New tasks get $0.75.').waitFor()
    expect(await phone.api<Me>('/api/me')).toMatchObject({ defaultBudgetUsd: 0.75 })
    await page.goto(`${server.url}/new`)
    await page.getByText('Branch, model, effort, budget').click()
    expect(await page.getByLabel('Budget (US dollars)').getAttribute('placeholder')).toBe('$0.75')
    await page.goto(`${server.url}/settings`)
    await field.fill('')
    await page.getByRole('button', { name: 'Save' }).click()
    await page.getByText('Saved. New tasks get $5.').waitFor()
    expect(await phone.api<Me>('/api/me')).toMatchObject({ defaultBudgetUsd: 5, ownBudgetUsd: null })
  })
})

describe('the link for another device', () => {
  const dialog = async (page: Page) => {
    await page.goto(`${server.url}/settings`)
    await page.getByRole('button', { name: 'Sign in on another device' }).click()
    return page.getByRole('dialog', { name: 'Sign in on another device' })
  }

  it('that opens on the server’s machine alone says so, and what to set for a phone', async () => {
    const page = await phone.visit()
    const sheet = await dialog(page)
    await sheet.getByText('This link opens only on the machine that runs the server.').waitFor()
    await sheet.getByText(/ERRAND_PUBLIC_URL=http/).waitFor()
    await sheet.getByText(/^http:\/\/127\.0\.0\.1:\d+\/auth\/link\?code=/).waitFor()
    expect(await sheet.getByRole('img').count()).toBe(0)
    // The dialog cuts off what is too wide, so the page alone does not show it.
    expect(
      await page.evaluate("(({ scrollWidth, clientWidth }) => scrollWidth - clientWidth)(document.querySelector('pre.secret'))"),
    ).toBe(0)
    expect([await isAsWideAsTheWindow(page), await axeFaults(page)]).toEqual([true, []])
  })

  it('is a QR code as well, where other devices can open it, dark on light in the dark too', async () => {
    const page = await phone.visit()
    const url = `https://errand.example.org/auth/link?code=${'x'.repeat(43)}`
    const expiresAt = new Date(Date.now() + 60_000).toISOString()
    await page.route('**/auth/links', (route) => route.fulfill({ status: 201, json: { url, expiresAt, onlyHere: null } }))
    await page.emulateMedia({ colorScheme: 'dark' })
    const code = (await dialog(page)).getByRole('img', { name: 'QR code of the link' })
    await code.waitFor()
    const { data, size } = encode(url, { border: 4 })
    const drawn = await code.locator('path').getAttribute('d')
    const dark = new Set([...(drawn ?? '').matchAll(/M(\d+) (\d+)h1v1h-1z/g)].map(([, x, y]) => `${x} ${y}`))
    expect(data.map((row, y) => row.map((_, x) => dark.has(`${x} ${y}`)))).toEqual(data)
    expect(await code.getAttribute('viewBox')).toBe(`0 0 ${size} ${size}`)
    const look = await page.evaluate<string[]>(
      "[getComputedStyle(document.querySelector('svg.qr-code'))].flatMap(({ backgroundColor, fill }) => [backgroundColor, fill])",
    )
    expect(look).toEqual(['rgb(255, 255, 255)', 'rgb(0, 0, 0)'])
    expect([await isAsWideAsTheWindow(page), await axeFaults(page)]).toEqual([true, []])
  })
})

describe('what is signed in', () => {
  it('stands in one list, by what it is; the server’s own token is not revoked', async () => {
    await phone.api('/api/me/tokens', { name: 'nightly' })
    const [page, other] = [await phone.visit(), await phone.visit()]
    await page.goto(`${server.url}/settings`)
    const lines = page.locator('#devices li')
    const own = lines.filter({ hasText: 'This server (CLI)' })
    await own.getByText('npx errand link').waitFor()
    expect(await own.getByRole('button').count()).toBe(0)
    await lines
      .filter({ hasText: 'nightly' })
      .getByText(/^API token, created .*never used$/)
      .waitFor()
    const browsers = await lines.filter({ hasText: 'Signed in' }).allTextContents()
    const names = browsers.map((text) => text.replace(/Signed in.*/, ''))
    expect(names).toEqual([...new Set(names)])
    expect(browsers.filter((text) => text.includes('this device'))).toHaveLength(1)
    expect(await page.getByText('nightly').count()).toBe(1)
    await other.context().close()
  })
})

describe('without a network', () => {
  it('the projects and the settings are there as they were, and say how old they are; what cannot be changed says what to do', async () => {
    const page = await phone.visit()
    await page.goto(`${server.url}/projects`)
    await page.getByRole('button', { name: 'Add repository' }).click()
    await page.getByLabel('Repository URL').fill('https://github.com/a/kept')
    await page.getByRole('button', { name: 'Save' }).click()
    await page.getByRole('heading', { name: 'kept' }).waitFor()
    await page.goto(`${server.url}/settings`)
    await page.getByText('this device', { exact: true }).waitFor()
    await page.getByText('No hosts yet.').waitFor()
    await page.route('**/api/**', (route) => route.abort())
    await page.reload()
    await page.getByText('this device', { exact: true }).waitFor()
    expect(await page.getByText(/^As of /).count()).toBe(3)
    expect(await axeFaults(page)).toEqual([])
    await page.getByRole('button', { name: 'Sign out everywhere' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Sign out everywhere' }).click()
    await page.getByRole('alert').getByText('Check your connection and try again.').waitFor()
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
    const page = await phone.visit()
    const { demoRepoUrl } = await phone.api<Me>('/api/me')
    await phone.api('/api/tasks', { repoUrl: demoRepoUrl, prompt: 'one of two' })
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
    await page.getByRole('heading', { name: 'No matching tasks' }).waitFor()
    await page.getByRole('button', { name: 'Clear search and filters' }).click()
    await page.getByRole('link', { name: /one of two/ }).waitFor()
    expect(page.url()).toBe(`${server.url}/`)
  })
})

function focused(page: Page) {
  return page.evaluate<string>('document.activeElement.textContent')
}
function isAsWideAsTheWindow(page: Page) {
  return page.evaluate<boolean>('document.documentElement.scrollWidth <= innerWidth')
}

describe('the admin screen', () => {
  it('tells who has no rights so, without asking the server for what it would refuse', async () => {
    const page = await phone.visit(SMALL, addUser(server.config.dataDir, 'guest'))
    const refused: string[] = []
    page.on('response', (response) => {
      if (response.status() >= 400) refused.push(response.url())
    })
    await page.goto(`${server.url}/admin`)
    await page.getByRole('heading', { name: 'Admins only' }).waitFor()
    expect(await page.getByRole('navigation').getByRole('link', { name: 'Admin' }).count()).toBe(0)
    expect(await axeFaults(page)).toEqual([])
    expect(refused).toEqual([])
  })

  it('that stumbles says so, and goes on after a reload', async () => {
    const page = await phone.visit()
    await crashOn(page, 'AdminScreen', 'admin-screen')
    await page.goto(`${server.url}/admin`)
    await page.getByRole('heading', { name: 'Something went wrong' }).waitFor()
    expect(await axeFaults(page)).toEqual([])
    await page.unroute('**/assets/admin-screen-*.js')
    await page.getByRole('button', { name: 'Reload' }).click()
    await page.getByRole('heading', { name: 'Runners' }).waitFor()
  })
})

describe('a runner that is unwell', () => {
  it('is shown as such, with what to do and what was seen on its host', async () => {
    const seen = `connect ENOENT /${'x'.repeat(150)}.sock`
    const page = await phone.visit()
    await page.route('**/api/admin/overview', async (route) => {
      const known = (await (await route.fetch()).json()) as Overview
      const unwell = { reason: 'engine_unavailable', reasonText: 'Check `docker info` on that host.', message: seen } as const
      const runner = { id: 'r1', name: 'cellar', slots: 2, busy: 0, seenAt: new Date().toISOString(), connected: true, unwell }
      await route.fulfill({ json: { ...known, runners: [runner] } satisfies Overview })
    })
    await page.goto(`${server.url}/admin`)
    for (const words of ['Unhealthy, takes no tasks', 'Check `docker info` on that host.', seen])
      await page.getByText(words).waitFor()
    expect(await page.getByText('Connected', { exact: true }).count()).toBe(0)
    expect([await isAsWideAsTheWindow(page), await axeFaults(page)]).toEqual([true, []])
    // The page asks every five seconds: an answer that comes after the server's end would be a fault.
    await page.unrouteAll({ behavior: 'ignoreErrors' })
    await page.close()
  })
})

describe('names of every kind', () => {
  const NAME = `🙂مرحبا${'x'.repeat(93)}`

  it('break nothing at 320 px', async () => {
    addUser(server.config.dataDir, NAME.repeat(2))
    const page = await phone.visit()
    await phone.api('/api/projects', { repoUrl: `https://github.com/a/${'y'.repeat(100)}`, name: NAME })
    await phone.api('/api/me/tokens', { name: NAME })
    await phone.send(NAME.repeat(2))
    await phone.api(
      '/api/me/credentials',
      { host: `${'z'.repeat(200)}.example`, username: NAME, token: 'none' },
      { method: 'PUT' },
    )
    for (const [path, what] of [
      ['/', NAME],
      ['/projects', NAME],
      ['/settings', NAME],
      ['/admin', NAME],
      ['/new', 'What should be done?'],
    ] as const) {
      await page.goto(server.url + path)
      await page.getByText(what).first().waitFor()
      expect([path, await isAsWideAsTheWindow(page), await axeFaults(page)]).toEqual([path, true, []])
    }
    await page.goto(`${server.url}/projects`)
    await page.getByRole('button', { name: `Remove: ${NAME}` }).click()
    await page.getByRole('dialog').waitFor()
    expect([await isAsWideAsTheWindow(page), await axeFaults(page)]).toEqual([true, []])
  })
})

describe('the focus', () => {
  it('goes along the list by keys, to the heading of what is opened, and back from a dialog', async () => {
    for (const prompt of ['first in the list', 'second in the list']) await phone.send(prompt)
    const page = await phone.visit()
    await page.getByRole('link', { name: /first in the list/ }).waitFor()
    for (const key of ['j', 'j', 'k', 'j']) await page.keyboard.press(key)
    expect(await page.evaluate('[...document.querySelectorAll("[data-row]")].indexOf(document.activeElement)')).toBe(1)
    await page.keyboard.press('Enter')
    await page.waitForURL('**/task/*')
    await waitFor('the focus on the heading', () => page.evaluate('document.activeElement.tagName === "H1"'))
    await page.keyboard.press('Escape')
    await waitFor('the list', async () => (await focused(page)) === 'Tasks')
    await page.getByRole('link', { name: 'Settings' }).click()
    await waitFor('the settings', async () => (await focused(page)) === 'Settings')
    await page.getByRole('button', { name: 'New token' }).press('Enter')
    await page.getByLabel('What is it for?').fill('a script')
    await page.keyboard.press('Enter')
    await page.getByText('Copy it now. It is not shown again.').waitFor()
    await page.keyboard.press('Escape')
    await waitFor('the button', async () => (await focused(page)) === 'New token')
  })

  it('goes to the heading when what a dialog was opened from is gone', async () => {
    const page = await phone.visit()
    await phone.api('/api/projects', { repoUrl: 'https://github.com/a/gone' })
    await page.goto(`${server.url}/projects`)
    await page.getByRole('button', { name: 'Remove: a/gone' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click()
    await page.getByRole('heading', { name: 'a/gone', exact: true }).waitFor({ state: 'detached' })
    await waitFor('the heading', async () => (await focused(page)) === 'Projects')
  })
})
