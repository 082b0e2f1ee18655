import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import type { Browser, Page } from 'playwright-core'
import { openPage, signIn, startBrowser } from '../../support/browser/browser.ts'
import { APP_INDEX, APP_SCRIPT, buildSmallApp, type HttpServer, startHttp } from '../../support/outside/http-server.ts'
import { visitor } from '../../support/systems/people.ts'
import { temporaryFolder } from '../../support/systems/temporary.ts'

let server: HttpServer
let bare: HttpServer
let browser: Browser
beforeAll(async () => {
  server = await startHttp()
  bare = await startHttp({}, { appFolder: '/nowhere' })
  browser = await startBrowser()
})
afterAll(async () => {
  await browser.close()
  await server.stop()
  await bare.stop()
})

/** Nothing sticks out to the side: the phone's page does not scroll there. */
function widthOf(page: Page) {
  return page.evaluate('document.documentElement.scrollWidth')
}

describe('the app', () => {
  const cacheOf = async (path: string, accept = '*/*') => {
    const response = await fetch(server.url + path, { headers: { accept } })
    await response.arrayBuffer()
    return [response.status, response.headers.get('cache-control')]
  }

  it('is kept for ever where its name says what is in it, and asked for anew everywhere else', async () => {
    expect(await cacheOf('/assets/app-1a2b3c.js')).toEqual([200, 'public, max-age=31536000, immutable'])
    for (const path of ['/', '/index.html', '/sw.js', '/manifest.webmanifest'])
      expect([path, ...(await cacheOf(path, 'text/html'))]).toEqual([path, 200, 'no-cache'])
  })

  it('opens at every address of a screen, and at no other', async () => {
    for (const path of ['/task/tsk_abc', '/task/tsk_abc/log/call_1.2', '/settings', '/admin'])
      expect(await (await visitor(server.url).get(path)).text()).toBe(APP_INDEX)
    for (const path of ['/assets/app-gone.js', '/api/nothing', '/auth/nothing', '/demo/nothing', '/static/nothing'])
      expect([path, (await visitor(server.url).get(path, { authorization: `Bearer ${server.owner.token}` })).status]).toEqual([
        path,
        404,
      ])
    expect((await fetch(`${server.url}/settings`, { headers: { accept: 'application/json' } })).status).toBe(404)
    expect((await fetch(`${server.url}/settings`, { method: 'POST', headers: { accept: 'text/html' } })).status).toBe(404)
    expect(await (await fetch(`${server.url}/.built-from`)).text()).not.toContain('a hash')
  })

  it('opens also when the checkout lies below a hidden folder', async () => {
    const folder = await temporaryFolder()
    const hidden = await startHttp({}, { appFolder: await buildSmallApp(`${folder.path}/.local/errand/app`) })
    for (const path of ['/', '/settings']) expect(await (await visitor(hidden.url).get(path)).text()).toBe(APP_INDEX)
    expect(await (await fetch(`${hidden.url}/assets/app-1a2b3c.js`)).text()).toBe(APP_SCRIPT)
    await hidden.stop()
    await folder.remove()
  })

  it('comes compressed, and what flows does not', async () => {
    const packed = await fetch(`${server.url}/assets/app-1a2b3c.js`, { headers: { 'accept-encoding': 'gzip' } })
    expect(packed.headers.get('content-encoding')).toBe('gzip')
    expect(await packed.text()).toBe(APP_SCRIPT)
    const better = await fetch(`${server.url}/assets/app-1a2b3c.js`, { headers: { 'accept-encoding': 'gzip, br' } })
    expect(['content-encoding', 'content-type', 'cache-control', 'vary'].map((name) => better.headers.get(name))).toEqual([
      'br',
      'text/javascript; charset=UTF-8',
      'public, max-age=31536000, immutable',
      'Accept-Encoding',
    ])
    expect(await better.text()).toBe(APP_SCRIPT)
    const metrics = await fetch(`${server.url}/metrics`, { headers: { 'accept-encoding': 'gzip' } })
    expect(metrics.headers.get('content-encoding')).toBeNull()
  })

  it('runs under a policy that allows nothing inline, its own socket, and its service worker', async () => {
    const policy = (await fetch(server.url)).headers.get('content-security-policy') ?? ''
    const rules = Object.fromEntries(policy.split(';').map((rule) => [rule.split(' ')[0], rule.split(' ').slice(1).join(' ')]))
    expect(rules).toMatchObject({
      'default-src': "'none'",
      'script-src': "'self'",
      'style-src': "'self'",
      'connect-src': `'self' ${server.url.replace('http', 'ws')}`,
      'img-src': "'self' data: https:",
      'worker-src': "'self'",
      'manifest-src': "'self'",
      'frame-ancestors': "'none'",
    })
    const { page, faults } = await openPage(browser)
    await page.goto(`${server.url}/settings`)
    await page.getByRole('heading', { name: 'The app' }).waitFor()
    expect(faults).toEqual([])
  })

  it('is where the one-time link leads', async () => {
    const { url } = (await (await server.call('POST', '/auth/links')).json()) as { url: string }
    const { page, faults } = await openPage(browser, { viewport: { width: 320, height: 800 } })
    await page.goto(url)
    expect(await widthOf(page)).toBe(320)
    await signIn(page, url)
    await page.getByRole('heading', { name: 'The app' }).waitFor()
    const me = await page.evaluate(`fetch('/api/me').then((answer) => answer.json()).then(({ name }) => name)`)
    expect([me, faults]).toEqual(['owner', []])
  })

  it('that was not built is said to be so', async () => {
    const answer = await visitor(bare.url).get('/')
    expect([answer.status, (await answer.text()).includes('npm start')]).toEqual([503, true])
  })
})

describe('the pages beside the app', () => {
  it('show the API at /docs under the same policy as everything else', async () => {
    const { page, faults } = await openPage(browser, { viewport: { width: 320, height: 800 } })
    await page.goto(`${server.url}/docs`)
    await page.getByText('/api/tasks/{id}/events').first().waitFor()
    expect(await widthOf(page)).toBe(320)
    expect(faults).toEqual([])
  })

  it('answer a browser with a page when something is not there', async () => {
    const { page } = await openPage(browser)
    expect((await page.goto(`${server.url}/docs/nowhere`))?.status()).toBe(404)
    expect(await page.getByRole('heading').textContent()).toBe("Couldn't load this")
  })
})
