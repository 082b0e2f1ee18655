import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import type { Message } from '../../../contract/api/api.ts'
import { waitFor } from '../../support/checks/wait.ts'
import { type Phone, startPhone } from './phone.ts'

const UNFIT = "The server's answer does not fit this version of the app."

let phone: Phone
beforeAll(async () => {
  phone = await startPhone()
})
afterAll(() => phone?.stop())

describe('an answer that does not fit the app', () => {
  it('is said in plain words, stands in the log, and is gone with the next answer', async () => {
    const page = await phone.visit()
    const logged: string[] = []
    page.on('console', (message) => {
      if (message.type() === 'error') logged.push(message.text())
    })
    await page.route('**/api/admin/overview', (route) => route.fulfill({ json: {} }))
    await page.goto(`${phone.server.url}/admin`)
    await page.getByText(UNFIT).waitFor()
    expect(logged.join('\n')).toContain('does not fit the contract')
    // The page's policy forbids `eval`, and the schemas do not even try.
    expect(logged.join('\n')).not.toMatch(/eval|Content Security Policy/)
    await page.unroute('**/api/admin/overview')
    await page.getByRole('button', { name: 'Try again' }).click()
    await page.getByRole('heading', { name: 'Runners' }).waitFor()
  })

  it('loses no message: it stays with its fault, and arrives once', async () => {
    const task = await phone.send('mend it')
    const page = await phone.visit()
    // The server takes the message; the event that would tell of it does not come either.
    await page.routeWebSocket(/socket\.io/, () => undefined)
    await page.route(`**/api/tasks/${task.id}/messages`, async (route) => {
      if (route.request().method() !== 'POST') return route.fulfill({ json: { items: [] } })
      const response = await route.fetch()
      return route.fulfill({ response, json: { id: 7 } })
    })
    await page.goto(`${phone.server.url}/task/${task.id}`)
    await page.getByLabel('Message to the agent').fill('and the test')
    await page.getByRole('button', { name: 'Send', exact: true }).tap()
    await page.getByText(`Not sent. ${UNFIT}`).waitFor()
    await page.unroute(`**/api/tasks/${task.id}/messages`)
    await page.getByRole('button', { name: 'Try again' }).click()
    await page.getByText('Not sent.').waitFor({ state: 'detached' })
    const texts = async () =>
      (await phone.api<{ items: Message[] }>(`/api/tasks/${task.id}/messages`)).items.map(({ text }) => text)
    await waitFor('the message, once', async () => (await texts()).filter((text) => text === 'and the test').length === 1)
  })
})
