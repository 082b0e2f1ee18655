import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import type { Browser, Page } from 'playwright-core'
import { openPage, signIn, startBrowser } from '../support/browser.ts'
import { type HttpServer, startHttp } from '../support/http-server.ts'

const HOSTILE = '<img src=x onerror="document.title=1">"\'&'

describe('the pages', () => {
  let server: HttpServer
  let browser: Browser
  beforeAll(async () => {
    server = await startHttp({ GITHUB_CLIENT_ID: 'id', GITHUB_CLIENT_SECRET: 'secret' })
    browser = await startBrowser()
    await server.call('POST', '/api/tasks', { body: { repoUrl: 'https://github.com/owner/name', prompt: HOSTILE } })
    await server.call('POST', '/api/tasks', {
      body: { repoUrl: 'https://github.com/owner/name', prompt: `fix\n${'x'.repeat(500)}` },
    })
  })
  afterAll(async () => {
    await browser.close()
    await server.stop()
  })

  const linkOf = async () => ((await (await server.call('POST', '/auth/links')).json()) as { url: string }).url

  /** Nothing sticks out to the side: the phone's page does not scroll there. */
  const widthOf = (page: Page) => page.evaluate('document.documentElement.scrollWidth')

  it('tell a visitor how to sign in', async () => {
    const { page, faults } = await openPage(browser)
    await page.goto(server.url)
    expect(await page.getByRole('link', { name: 'Sign in with GitHub' }).getAttribute('href')).toBe('/auth/github')
    expect(await page.locator('body').textContent()).toContain('npx errand link')
    expect(await page.locator('body').textContent()).toContain('Demo model.')
    expect(faults).toEqual([])
  })

  it('show a user their tasks as text, on a phone and on a screen, in light and dark', async () => {
    for (const [width, colorScheme] of [
      [320, 'light'],
      [1280, 'dark'],
    ] as const) {
      const { page, faults } = await openPage(browser, { viewport: { width, height: 800 }, colorScheme })
      await signIn(page, await linkOf())
      expect(await page.locator('.tasks li').count()).toBe(2)
      expect(await page.locator('.tasks .prompt').nth(1).textContent()).toBe(HOSTILE)
      expect(await page.locator('.tasks .prompt').nth(0).textContent()).toBe('fix')
      expect(await page.title()).toBe('Start · Errand')
      expect(await widthOf(page)).toBe(width)
      expect(faults).toEqual([])
      await page.getByRole('button', { name: 'Sign out' }).click()
      await page.getByRole('heading', { name: 'Sign in' }).waitFor()
    }
  })

  it('show the API at /docs under the same policy as everything else', async () => {
    const { page, faults } = await openPage(browser, { viewport: { width: 320, height: 800 } })
    await page.goto(`${server.url}/docs`)
    await page.getByText('/api/tasks/{id}/events').first().waitFor()
    expect(await widthOf(page)).toBe(320)
    expect(faults).toEqual([])
  })

  it('answer a browser with a page when something is not there', async () => {
    const { page } = await openPage(browser)
    expect((await page.goto(`${server.url}/nowhere`))?.status()).toBe(404)
    expect(await page.getByRole('heading').textContent()).toBe('That did not work')
  })
})
