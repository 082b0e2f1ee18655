import { cp, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import type { Browser, Page } from 'playwright-core'
import { PROTOCOL } from '../../../../contract/api/socket.ts'
import { buildApp } from '../../../../setup/build/app.ts'
import { axeFaults } from '../../../support/browser/axe.ts'
import { openPage, signIn, startBrowser } from '../../../support/browser/browser.ts'
import { APP_DIST } from '../../../support/browser/bundle.ts'
import { waitFor } from '../../../support/checks/wait.ts'
import { type HttpServer, startHttp } from '../../../support/outside/http-server.ts'
import { type TemporaryFolder, temporaryFolder } from '../../../support/systems/temporary.ts'

let folder: TemporaryFolder
let served: string
let server: HttpServer
let browser: Browser
let page: Page

beforeAll(async () => {
  await buildApp(join(import.meta.dirname, '../../../..'))
  folder = await temporaryFolder()
  served = join(folder.path, 'dist')
  await cp(APP_DIST, served, { recursive: true })
  server = await startHttp({}, { appFolder: served })
  browser = await startBrowser()
})
afterAll(async () => {
  await browser?.close()
  await server?.stop()
  await folder?.remove()
})

let version = 1
/** As a new build leaves it: another page, and a service worker that keeps that page. */
async function deploy(): Promise<void> {
  version += 1
  const read = (name: string) => readFile(join(APP_DIST, name), 'utf8')
  const index = (await read('index.html')).replace('<html', `<html data-version="${version}"`)
  const worker = (await read('sw.js')).replace(/(\{"?revision"?:")[^"]*(","?url"?:"index\.html"\})/, `$1${version}$2`)
  await writeFile(join(served, 'index.html'), index)
  await writeFile(join(served, 'sw.js'), worker)
}
function shownVersion() {
  return page.evaluate<string | null>('document.documentElement.dataset.version ?? null')
}
function look() {
  return page.evaluate('navigator.serviceWorker.ready.then((registration) => registration.update()).then(() => true)')
}

async function visit(prepare: (opened: Page) => Promise<void> = async () => {}): Promise<Page> {
  const opened = (await openPage(browser)).page
  await prepare(opened)
  const answer = await server.call('POST', '/auth/links', { body: {} })
  await signIn(opened, ((await answer.json()) as { url: string }).url)
  await opened.evaluate('navigator.serviceWorker.ready.then(() => true)')
  return opened
}

describe('a new version of the app', () => {
  beforeEach(async () => {
    page = await visit()
  })

  it('asks before it reloads, and keeps what was being typed', async () => {
    await page.goto(`${server.url}/new`)
    const before = await shownVersion()
    await page.getByLabel('What should be done?').fill('half a thought')
    await deploy()
    await look()
    await page.getByText('A new version is ready.').waitFor()
    expect(await axeFaults(page)).toEqual([])
    expect(await shownVersion()).toBe(before)
    await page.getByRole('button', { name: 'Reload' }).click()
    await waitFor('the new version', async () => (await shownVersion()) === String(version))
    expect(await page.getByLabel('What should be done?').inputValue()).toBe('half a thought')
    expect(await page.getByText('A new version is ready.').count()).toBe(0)
  })

  it('is still asked about by a page that was opened without taking it', async () => {
    await deploy()
    await look()
    await page.getByText('A new version is ready.').waitFor()
    await page.reload()
    await page.getByText('A new version is ready.').waitFor()
    expect(await shownVersion()).not.toBe(String(version))
    await page.getByRole('button', { name: 'Reload' }).click()
    await waitFor('the new version', async () => (await shownVersion()) === String(version))
  })
})

describe('an app that is older than its server', () => {
  it('says so, and reloads to what the server has now, which its service worker would not give by itself', async () => {
    page = await visit(speakNextProtocol)
    await page.getByText('This version of the app is out of date.').waitFor()
    expect(await axeFaults(page)).toEqual([])
    await deploy()
    await page.getByRole('button', { name: 'Reload' }).click()
    await waitFor('the new version', async () => (await shownVersion()) === String(version))
  })
})

/** A server's end of the socket that answers nothing but which protocol it speaks. */
function speakNextProtocol(opened: Page): Promise<void> {
  return opened.routeWebSocket(/socket\.io/, (line) => {
    line.send('0{"sid":"e","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}')
    line.onMessage((message) => {
      if (message === '40') line.send('40{"sid":"s"}')
      const [, id] = /^42(\d+)\["app:ping"/.exec(String(message)) ?? []
      if (id) line.send(`43${id}[{"ok":true,"protocol":${PROTOCOL + 1}}]`)
    })
  })
}
