import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import type { TaskPage } from '../../../../contract/api/api.ts'
import { signIn } from '../../../support/browser/browser.ts'
import { waitFor } from '../../../support/checks/wait.ts'
import { addUser } from '../../../support/systems/people.ts'
import { keysOn } from '../device.ts'
import { type Phone, startPhone } from '../phone.ts'

let phone: Phone
beforeAll(async () => {
  phone = await startPhone()
})
afterAll(() => phone?.stop())

describe('a message and a task that wait for the network', () => {
  it('do not go out as another user who signs in meanwhile in the same browser', async () => {
    const bob = addUser(phone.server.config.dataDir, 'Bob')
    const { id } = await phone.send('mend it')
    const page = await phone.visit()
    await page.goto(`${phone.server.url}/task/${id}`)
    await page.route('**/messages', (route) => route.abort())
    await page.getByLabel('Message to the agent').fill('for my eyes')
    await page.getByRole('button', { name: 'Send', exact: true }).click()
    await page.getByText("Sends when you're back online").waitFor()

    const posts: string[] = []
    page.on('request', (request) => request.method() === 'POST' && posts.push(new URL(request.url()).pathname))
    await signIn(await page.context().newPage(), await phone.link(bob))
    posts.length = 0
    await page.unroute('**/messages')
    // Nothing of the one who wrote it stays on the screen either.
    await page.waitForURL(`${phone.server.url}/`)
    await page.getByText('Send your first errand').waitFor()
    await waitFor('the outbox to be empty', async () => (await keysOn(page)).every((key) => !key.startsWith('outbox:')))
    expect(posts.filter((path) => path.endsWith('/messages'))).toEqual([])
    expect((await phone.api<TaskPage>('/api/tasks', undefined, { token: bob })).items).toEqual([])
  })
})
