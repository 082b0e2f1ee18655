import type { BrowserContextOptions, Page } from 'playwright-core'
import { see } from '../../support/browser/see.ts'
import { waitFor } from '../../support/checks/wait.ts'
import { cutLine } from '../browser/cut-line.ts'
import { forgetTasks, savedOn } from '../browser/device.ts'
import type { tellAdasTasks } from './story/adas-tasks.ts'
import type { tellGracesTasks } from './story/graces-tasks.ts'
import type { Person, Stage } from './story/stage.ts'

/** The stage with all that was told on it. */
export type World = Stage & {
  ada: Awaited<ReturnType<typeof tellAdasTasks>>
  grace: Awaited<ReturnType<typeof tellGracesTasks>>
}

/** A screen in one of its states. */
export type Scene = {
  /** Also the picture's name: `screen-state`. */
  name: string
  /** Null: nobody is signed in. */
  person: Person | null
  /** From a new page to the state; resolves once it shows. */
  go: (page: Page, world: World) => Promise<unknown>
  /** With the app's service worker, which is otherwise left out, since it would answer before `page.route`. */
  serviceWorker?: true
}

export type Go = Scene['go']

function scene(person: Person | null) {
  return (name: string, go: Go): Scene => ({ name, person, go })
}
export const asAda = scene('Ada')
export const asGrace = scene('Grace')
export const asLin = scene('Lin')
export const asNobody = scene(null)

export function heading(page: Page, name: string | RegExp) {
  return page.getByRole('heading', { level: 1, name })
}
export function press(page: Page, name: string | RegExp) {
  return page.getByRole('button', { name }).first().click()
}

/** Opens a path and waits for words to be seen. */
export async function open(page: Page, { url }: World, path: string, seen: string | RegExp): Promise<void> {
  await page.goto(url + path)
  await see(page.getByText(seen).locator('visible=true').first())
}

/** Never answers. */
export function hang(page: Page, path: string) {
  return page.route(path, () => new Promise(() => undefined))
}

/** Answers as the coordinator does when it has a fault. */
export function breakDown(page: Page, path: string) {
  return page.route(path, (route) =>
    route.fulfill({
      status: 500,
      json: { error: { code: 'internal', message: 'Something went wrong on the server. Try again.', requestId: 'r' } },
    }),
  )
}

/** Answers with what the coordinator says, changed. */
export function change<T>(page: Page, path: string, changed: (body: T) => unknown) {
  return page.route(path, async (route) => {
    const response = await route.fetch()
    await route.fulfill({ response, json: changed((await response.json()) as T) })
  })
}

/** Whoever is signed in, with other properties. */
export function asMe(page: Page, me: Record<string, unknown>) {
  return change<object>(page, '**/api/me', (known) => ({ ...known, ...me }))
}

/** Without a network, on a screen of which nothing is on the device. */
export function notHere(path: string | ((world: World) => string)): Go {
  return async (page, world) => {
    const line = await cutLine(page)
    await page.goto(world.url)
    await waitFor('the user on the device', () => savedOn(page, 'saved:me'))
    // What is still on its way to the device would be there again.
    await waitFor('the tasks on the device', () => savedOn(page, 'saved:tasks'))
    await line.cut()
    await forgetTasks(page)
    await page.goto(world.url + (typeof path === 'string' ? path : path(world)))
    await see(page.getByText('Not saved on this device.').first())
    await see(page.locator('.line', { hasText: /No network|Reconnecting/ }))
  }
}

/** The network goes away: no call and no socket gets through. */
export async function cutOff(page: Page): Promise<void> {
  await page.route(/\/(api|auth|socket\.io)\//, (route) => route.abort())
  await page.context().setOffline(true)
}

/** A page of its own with the scene on it, at rest: what comes late (markdown, the screen's own files) is there. */
export async function openScene(
  world: World,
  { person, go, serviceWorker }: Scene,
  options: BrowserContextOptions,
): Promise<Page> {
  const whole = { ...options, serviceWorkers: serviceWorker ? 'allow' : 'block' } as const
  const page = await (person === null ? world.visitUnknown(whole) : world.visit(person, whole))
  await page.emulateMedia({ reducedMotion: 'reduce' })
  await go(page, world)
  await waitFor('the markdown', async () => (await page.locator('.prose.plain').count()) === 0)
  return page
}

/** A page that draws no frames, as a busy machine may have, would never end a transition. Whatever else moves must end by itself. */
const END_TRANSITIONS = `(() => {
  for (const one of document.getAnimations()) if (one instanceof CSSTransition) one.finish()
  return document.getAnimations().length === 0
})()`

/** In these colours, without the frames in between. */
export async function inLook(page: Page, colorScheme: 'light' | 'dark'): Promise<void> {
  await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
  await waitFor('the end of the transitions', () => page.evaluate<boolean>(END_TRANSITIONS))
}
