import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import type { Page, Route } from 'playwright-core'
import { newerPages, newerTask } from '../../../../client/task-summary.ts'
import type { Task } from '../../../../contract/api/api.ts'
import { waitFor } from '../../../support/checks/wait.ts'
import { type Phone, startPhone } from '../phone.ts'

let phone: Phone
let page: Page
let task: Task

beforeAll(async () => {
  phone = await startPhone()
})
afterAll(() => phone?.stop())
beforeEach(async () => {
  page = await phone.visit()
  task = await phone.send('mend it')
})

function isAnswered(path: string) {
  return page.waitForResponse((response) => new URL(response.url()).pathname === path)
}

describe('a task’s summary', () => {
  it('does not go back when an answer that was under way comes late', async () => {
    const held: Route[] = []
    await page
      .getByRole('link', { name: /mend it/ })
      .first()
      .waitFor()
    await page.route(`**/api/tasks/${task.id}`, (route) => void held.push(route))
    await page
      .getByRole('link', { name: /mend it/ })
      .first()
      .click()
    await waitFor('the question', () => held.length > 0)
    const old = await phone.api<Task>(`/api/tasks/${task.id}`)
    await phone.api(`/api/tasks/${task.id}/cancel`, {})
    const cancel = page.getByRole('button', { name: 'Cancel task' })
    await cancel.waitFor({ state: 'detached' })
    const answered = isAnswered(`/api/tasks/${task.id}`)
    for (const route of held) await route.fulfill({ json: old })
    await (await answered).finished()
    await page.evaluate('new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)))')
    expect(await cancel.count()).toBe(0)
  })

  it('is the newer one in a list too, and without a new event what came later', () => {
    const summary = (lastSeq: number, more: Partial<Task> = {}) => ({ id: 't', lastSeq, ...more }) as Task
    const list = (...items: Task[]) => ({ pages: [{ items, nextCursor: null }], pageParams: [''] })
    expect(newerTask(summary(9), summary(5))).toEqual(summary(9))
    expect(newerTask(undefined, summary(5))).toEqual(summary(5))
    expect(newerTask(summary(2, { queuePosition: 3 }), summary(2, { queuePosition: 0 }))).toMatchObject({ queuePosition: 0 })
    const other = summary(1, { id: 'u' })
    expect(newerPages(list(summary(9)), list(other, summary(5)))).toEqual(list(other, summary(9)))
  })
})

describe('the changes that are being read', () => {
  it('stay when the line comes back', async () => {
    const lines = new Set<{ close: () => Promise<void> }>()
    await page.routeWebSocket(/socket\.io/, (line) => {
      // One that is cut before it carries would not be opened again: the app polls instead.
      line.connectToServer().onMessage((message) => {
        line.send(message)
        if (String(message).startsWith('40')) lines.add(line)
      })
    })
    let asked = 0
    await page.route('**/api/tasks/*/changes', (route) => {
      asked += 1
      return route.fulfill({ json: { turn: null, files: [], truncated: false, source: null, commit: null } })
    })
    await page.goto(`${phone.server.url}/task/${task.id}/changes`)
    await page.getByText('No changes yet').waitFor()
    await waitFor('the line', () => lines.size === 1)
    const before = asked
    const back = isAnswered('/api/me')
    for (const line of lines) await line.close()
    await back
    await waitFor('the line again', () => lines.size === 2)
    expect(asked).toBe(before)
  })
})
