import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import type { Page } from 'playwright-core'
import type { Message, Task } from '../../../../contract/api/api.ts'
import { axeFaults } from '../../../support/browser/axe.ts'
import { waitFor } from '../../../support/checks/wait.ts'
import { type Phone, startPhone } from '../phone.ts'

let phone: Phone
let page: Page
let task: Task

beforeAll(async () => {
  phone = await startPhone()
  page = await phone.visit()
  task = await newTask()
})
afterAll(() => phone?.stop())

function newTask() {
  return phone.send('mend it')
}
async function saidTo({ id }: Task) {
  return (await phone.api<{ items: Message[] }>(`/api/tasks/${id}/messages`)).items.slice(1).map(({ text }) => text)
}
function composer() {
  return page.getByLabel('Message to the agent')
}
async function sendMessage(text: string) {
  await composer().fill(text)
  await page.getByRole('button', { name: 'Send', exact: true }).tap()
}

describe('a message that is not sent', () => {
  it('is in sight with its fault before the feed has an event, and the list of tasks leads to it', async () => {
    const error = { code: 'invalid', message: 'Not this one.', requestId: 'r' }
    // The feed waits for its events, on and on.
    await page.route('**/api/tasks/*/events*', () => undefined)
    await page.route('**/messages', (route) =>
      route.request().method() === 'POST' ? route.fulfill({ status: 400, json: { error } }) : route.continue(),
    )
    await page.goto(`${phone.server.url}/task/${task.id}`)
    await sendMessage('said too early')
    await page.getByText('Not sent. Not this one.').waitFor()
    expect(await axeFaults(page)).toEqual([])
    await page.goto(phone.server.url)
    const line = page.getByRole('link', { name: /1 message not sent/ })
    await line.waitFor()
    expect(await axeFaults(page)).toEqual([])
    await page.unroute('**/messages')
    await line.click()
    await page.getByRole('button', { name: 'Try again' }).click()
    await waitFor('the message at the server', async () => (await saidTo(task)).includes('said too early'))
  })
})

describe('two messages to one task', () => {
  it('arrive in the order in which they were said, though the first did not get through at once', async () => {
    let isCut = false
    await page.route('**/messages', (route) => {
      if (route.request().method() !== 'POST' || isCut) return route.continue()
      isCut = true
      return route.abort()
    })
    const another = await newTask()
    await page.goto(`${phone.server.url}/task/${another.id}`)
    await sendMessage('first')
    await sendMessage('second')
    await waitFor('both at the server', async () => (await saidTo(another)).length === 2)
    expect(await saidTo(another)).toEqual(['first', 'second'])
  })
})
