import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import type { Page, Route } from 'playwright-core'
import type { Me, TaskPage } from '../../../../contract/api/api.ts'
import { axeFaults } from '../../../support/browser/axe.ts'
import { openPage } from '../../../support/browser/browser.ts'
import { see } from '../../../support/browser/see.ts'
import { waitFor } from '../../../support/checks/wait.ts'
import { type Phone, SMALL, startPhone } from '../phone.ts'

let phone: Phone
let server: Phone['server']
let page: Page

beforeAll(async () => {
  phone = await startPhone()
  server = phone.server
})
afterAll(() => phone?.stop())

/** From here the app goes on to where the person was: not to the list. */
async function signInAgain() {
  await page.goto(await phone.link())
  await page.getByRole('button', { name: 'Sign in' }).click()
}
function heading(name: string) {
  return page.getByRole('heading', { level: 1, name })
}
function focused() {
  return page.evaluate<string>('document.activeElement.textContent')
}
function isAsWideAsTheWindow() {
  return page.evaluate<boolean>('document.documentElement.scrollWidth <= innerWidth')
}
async function tasksOf(prompt: string) {
  return (await phone.api<TaskPage>(`/api/tasks?search=${encodeURIComponent(prompt)}`)).items.map((task) => task.prompt)
}

describe('the way in', () => {
  it('tells a stranger how to sign in, and brings back to the screen that was asked for', async () => {
    page = (await openPage(phone.browser, SMALL)).page
    await page.goto(`${server.url}/projects`)
    await page.getByText('npx errand link').waitFor()
    expect(page.url()).toBe(`${server.url}/sign-in`)
    expect(await axeFaults(page)).toEqual([])
    expect(await isAsWideAsTheWindow()).toBe(true)
    await signInAgain()
    await heading('Projects').waitFor()
  })

  it('keeps a draft over the end of a session', async () => {
    page = await phone.visit()
    await page.goto(`${server.url}/new`)
    await page.getByLabel('What should be done?').fill('half a thought')
    await page.context().clearCookies()
    await page.reload()
    await page.getByText('npx errand link').waitFor()
    await signInAgain()
    await heading('New task').waitFor()
    expect(await page.getByLabel('What should be done?').inputValue()).toBe('half a thought')
  })
})

describe('a screen that opens', () => {
  beforeEach(async () => {
    page ??= await phone.visit()
  })

  for (const [path, title] of [
    ['/', 'Tasks'],
    ['/new', 'New task'],
    ['/projects', 'Projects'],
    ['/settings', 'Settings'],
    ['/admin', 'Admin'],
    ['/nowhere', 'Page not found'],
  ] as const)
    it(`has the focus on its heading: ${path}`, async () => {
      await page.goto(server.url + path)
      await heading(title).waitFor()
      await waitFor('the focus', async () => (await focused()) === title)
    })
})

describe('the first visit', () => {
  it('comes to a task in three taps, and to one task when the last is a double one', async () => {
    page = (await openPage(phone.browser, SMALL)).page
    const taps: string[] = []
    await page.exposeFunction('noteTap', (name: string) => taps.push(name))
    await page.addInitScript(NOTE_TAPS)
    await page.goto(await phone.link())
    await page.getByRole('button', { name: 'Sign in' }).tap()
    await page.getByRole('link', { name: 'Add a French greeting.' }).tap()
    await page.getByLabel('What should be done?').waitFor()
    const { demoRepoUrl } = await phone.api<Me>('/api/me')
    expect(await page.getByLabel('Repository', { exact: true }).inputValue()).toBe(demoRepoUrl)
    const held: Route[] = []
    await page.route('**/api/tasks', (route) => (route.request().method() === 'POST' ? void held.push(route) : route.continue()))
    await page.getByRole('button', { name: 'Send' }).dblclick()
    await waitFor('four taps', () => taps.length === 4)
    // The last meets the button at work.
    expect(taps).toEqual(['Sign in', 'Add a French greeting.', 'Send', 'Sending…'])
    await waitFor('the task on its way', () => held.length > 0)
    await Promise.all(held.map((route) => route.continue()))
    await page.waitForURL('**/task/*')
    expect(held).toHaveLength(1)
    expect(await tasksOf('French')).toEqual(['Add a French greeting.'])
  })
})

/** Runs in the page: tells each tap with the name of what it met. */
const NOTE_TAPS = `addEventListener('click', ({ target }) => noteTap(target.closest('a, button')?.innerText.trim() ?? target.tagName), { capture: true })`

describe('a new task', () => {
  beforeEach(async () => {
    page = await phone.visit()
  })

  it('that the server refuses comes back with its words and nothing lost', async () => {
    await page.goto(`${server.url}/new`)
    await page.getByLabel('Repository', { exact: true }).fill('ftp://nowhere')
    await page.getByLabel('What should be done?').fill('mend it')
    await page.getByRole('button', { name: 'Send' }).click()
    await page.getByText('This is not the address of a repository').waitFor()
    expect(await page.getByLabel('What should be done?').inputValue()).toBe('mend it')
    expect(await axeFaults(page)).toEqual([])
  })

  it('that was sent without a network goes out once when it is back, also from a page that was opened anew', async () => {
    const { demoRepoUrl } = await phone.api<Me>('/api/me')
    await page.goto(`${server.url}/new`)
    await page.getByLabel('Repository', { exact: true }).fill(demoRepoUrl)
    await page.getByLabel('What should be done?').fill('sent in a tunnel 🚇')
    await page.route('**/api/tasks', (route) => (route.request().method() === 'POST' ? route.abort() : route.continue()))
    await page.getByRole('button', { name: 'Send' }).click()
    await page.getByText('Saved on this device.').waitFor()
    await page.unroute('**/api/tasks')
    await page.goto(server.url)
    await waitFor('the task at the server', async () => (await tasksOf('tunnel')).length > 0)
    await page.getByRole('link', { name: /sent in a tunnel/ }).waitFor()
    expect(await tasksOf('tunnel')).toEqual(['sent in a tunnel 🚇'])
  })
})

describe('a new task whose answer is lost', () => {
  const held: Route[] = []
  let taken = 0
  const cut = () => Promise.all(held.splice(0).map((route) => route.abort()))
  /** The server takes what is sent; the page does not hear of it. */
  const holdAnswers = () =>
    page.route('**/api/tasks', async (route) => {
      if (route.request().method() !== 'POST') return route.continue()
      await route.fetch()
      taken += 1
      held.push(route)
    })
  const send = async (prompt: string) => {
    const { demoRepoUrl } = await phone.api<Me>('/api/me')
    await page.goto(`${server.url}/new`)
    await page.getByLabel('Repository', { exact: true }).fill(demoRepoUrl)
    await page.getByLabel('What should be done?').fill(prompt)
    await page.getByRole('button', { name: 'Send' }).click()
  }
  beforeEach(async () => {
    taken = 0
    page = await phone.visit()
    await page.clock.install()
  })

  it('while the phone sleeps is one task, and shown after waking', async () => {
    await holdAnswers()
    await send('sleep on it')
    await waitFor('the server to take it', () => held.length > 0)
    await page.clock.fastForward('10:00')
    await cut()
    await page.unroute('**/api/tasks')
    await waitFor('the task on the screen', async () => {
      await page.clock.runFor(1_000)
      return page.url().includes('/task/')
    })
    expect(await tasksOf('sleep on it')).toHaveLength(1)
  })

  it('for two minutes waits in the list, and goes out by itself as no second task', async () => {
    await holdAnswers()
    await send('into the void')
    await page.getByText('Saved on this device.').waitFor()
    await page.getByRole('link', { name: 'Tasks' }).last().click()
    for (let seconds = 0; seconds < 120; seconds += 5) {
      await cut()
      await page.clock.runFor(5_000)
    }
    await page.getByText("Sends when you're back online.").waitFor()
    expect(await axeFaults(page)).toEqual([])
    await page.unroute('**/api/tasks')
    await waitFor('the task', async () => {
      await cut()
      await page.clock.runFor(1_000)
      // The list may show the task before the answer to its last try is here.
      const waiting = await page.getByText('Not sent yet').count()
      return waiting === 0 && page.getByRole('link', { name: /into the void/ }).isVisible()
    })
    expect(taken).toBeGreaterThan(1)
    expect(await tasksOf('into the void')).toHaveLength(1)
  })
})

describe('the list of tasks', () => {
  beforeEach(async () => {
    page = await phone.visit()
  })

  it('finds by words, and leads back from nothing found', async () => {
    await page.getByRole('link', { name: /French/ }).waitFor()
    await page.getByRole('link', { name: 'Settings' }).click()
    await see(page.getByRole('heading', { level: 1, name: 'Settings' }))
    // The next key may follow at once: no letter is lost, and none is a shortcut.
    const focused = `dispatchEvent(new KeyboardEvent('keydown', { key: '/', cancelable: true })), document.activeElement.type`
    expect(await page.evaluate(focused)).toBe('search')
    await page.keyboard.type('no such words')
    await page.getByRole('heading', { name: 'No matching tasks' }).waitFor()
    expect(await axeFaults(page)).toEqual([])
    await page.getByRole('button', { name: 'Clear search and filters' }).click()
    await page.getByRole('link', { name: /French/ }).waitFor()
  })

  it('keeps its address when the search is focused by its key', async () => {
    await page.goto(`${server.url}/?status=pending`)
    await see(page.getByRole('searchbox'))
    const before = await page.evaluate('history.length')
    await page.keyboard.press('/')
    expect(await page.evaluate('[document.activeElement.type, location.search, history.length]')).toEqual([
      'search',
      '?status=pending',
      before,
    ])
  })

  it('shows a task that another device sends, without a reload', async () => {
    await page.getByRole('link', { name: /French/ }).waitFor()
    await phone.send('from the desk')
    await page.getByRole('link', { name: /from the desk/ }).waitFor()
  })

  it('is there without a network, and says how old it is', async () => {
    await page.getByRole('link', { name: /French/ }).waitFor()
    await page.route('**/api/**', (route) => route.abort())
    await page.reload()
    await page.getByText(/^As of /).waitFor()
    await page.getByRole('link', { name: /French/ }).waitFor()
  })

  it('tells a failure and tries again', async () => {
    const error = { code: 'internal', message: 'Something went wrong on the server.', requestId: 'r' }
    await page.route('**/api/tasks?*', (route) => route.fulfill({ status: 500, json: { error } }))
    // With a live connection the app also asks again by itself, and may be faster than the tap.
    await page.routeWebSocket(/socket\.io/, () => undefined)
    await page.reload()
    await see(page.getByText('Something went wrong on the server.'))
    await page.unroute('**/api/tasks?*')
    await page.getByRole('button', { name: 'Try again' }).click()
    await page.getByRole('link', { name: /French/ }).waitFor()
  })

  it('opens and goes by keys', async () => {
    await page.getByRole('link', { name: /French/ }).waitFor()
    await page.keyboard.press('?')
    await page.getByRole('dialog', { name: 'Keyboard shortcuts' }).waitFor()
    expect(await axeFaults(page)).toEqual([])
    await page.keyboard.press('Escape')
    await page.keyboard.press('n')
    await heading('New task').waitFor()
    await page.keyboard.press('Escape')
    await heading('Tasks').waitFor()
  })
})
