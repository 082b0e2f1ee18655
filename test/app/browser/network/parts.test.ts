import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import type { Page, Route } from 'playwright-core'
import { see } from '../../../support/browser/see.ts'
import { waitFor } from '../../../support/checks/wait.ts'
import { type Phone, startPhone } from '../phone.ts'

let phone: Phone
let page: Page
/** How often the page was loaded since it signed in. */
let loads: number

beforeAll(async () => {
  phone = await startPhone()
})
afterAll(() => phone?.stop())
beforeEach(async () => {
  page = await phone.visit()
  loads = 0
  page.on('framenavigated', () => {
    loads++
  })
})

/** Has a part of the app fail as long as the page has not been loaded anew. */
function failUntilReload(part: string, fail: (route: Route) => unknown = (route) => route.abort()) {
  return page.route(`**/assets/${part}-*.js`, (route) => (loads < 2 ? fail(route) : route.continue()))
}

const SETTINGS = 'No hosts yet'

describe('a part of the app that does not load although the server is there', () => {
  it.each(['settings-screen', 'answers'])('comes with a reload, by itself: %s', async (part) => {
    await failUntilReload(part)
    await page.goto(`${phone.server.url}/settings`)
    await see(page.getByText(SETTINGS))
    expect(loads).toBe(2)
  })

  it('comes with a reload too if the connection that brings it has died', async () => {
    await page.clock.install()
    await failUntilReload('settings-screen', () => {})
    await page.goto(`${phone.server.url}/settings`)
    await see(page.getByLabel('Loading'))
    await waitFor('the reload', async () => {
      await page.clock.fastForward(10_000)
      return loads === 2
    })
    await see(page.getByText(SETTINGS))
    expect(loads).toBe(2)
  })

  it('is an error if a reload does not help, and not a circle', async () => {
    await page.route('**/assets/settings-screen-*.js', (route) => route.abort())
    await page.goto(`${phone.server.url}/settings`)
    await see(page.getByRole('heading', { name: 'Something went wrong' }))
    expect(loads).toBe(2)
    await page.unroute('**/assets/settings-screen-*.js')
    await page.getByRole('button', { name: 'Reload' }).click()
    await see(page.getByText(SETTINGS))
  })
})

describe('a part that does not load while a proxy answers for a server that is down', () => {
  it('is waited for: a reload would leave the app', async () => {
    await page.clock.install()
    let asked = 0
    await page.route('**/healthz', (route) => {
      asked++
      return route.fulfill({ status: 502, body: 'Bad Gateway' })
    })
    await page.route('**/assets/settings-screen-*.js', (route) => route.abort())
    await page.goto(`${phone.server.url}/settings`)
    await waitFor('three questions whether it is back', async () => {
      await page.clock.fastForward(3_000)
      return asked >= 3
    })
    await see(page.getByLabel('Loading'))
    await page.unroute('**/healthz')
    await page.unroute('**/assets/settings-screen-*.js')
    await waitFor('the next try', async () => {
      await page.clock.fastForward(3_000)
      return page.getByText(SETTINGS).isVisible()
    })
    expect(loads).toBe(1)
  })
})

describe('the part that makes the live connection', () => {
  it('reloads the page once, however often it is asked for again, and the app works without it', async () => {
    await page.clock.install()
    let asked = 0
    await page.route('**/assets/socket-*.js', (route) => {
      asked++
      return route.abort()
    })
    await page.goto(`${phone.server.url}/settings`)
    await waitFor('the reload', () => loads === 2)
    const before = asked
    await waitFor('twenty new tries', async () => {
      await page.clock.fastForward(10_000)
      return asked >= before + 20
    })
    await see(page.getByText(SETTINGS))
    expect(loads).toBe(2)
  })
})

describe('a part that only adorns', () => {
  it('is left out: the link for another device stands without its code', async () => {
    const url = 'https://errand.example.org/auth/link?code=x'
    await page.route('**/auth/links', (route) =>
      route.fulfill({ status: 201, json: { url, expiresAt: new Date(Date.now() + 60_000).toISOString(), onlyHere: null } }),
    )
    await page.route('**/assets/qr-code-*.js', (route) => route.abort())
    await page.goto(`${phone.server.url}/settings`)
    const button = page.getByRole('button', { name: 'Sign in on another device' })
    await Promise.all([page.waitForEvent('requestfailed'), button.click()])
    await see(page.getByRole('dialog').getByText(url))
    await waitFor('its place to be given up', async () => (await page.locator('.qr-code').count()) === 0)
    expect(await page.getByRole('alert').count()).toBe(0)
  })
})
