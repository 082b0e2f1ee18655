import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { Queue, Worker } from 'bullmq'
import type { Browser } from 'playwright-core'
import { JOB_RETRY } from '../../../contract/wire/job.ts'
import { QUEUE_NAME } from '../../../contract/wire/names.ts'
import type { Parts } from '../../../coordinator/http/parts.ts'
import { openPage, signIn, startBrowser } from '../../support/browser/browser.ts'
import { waitFor } from '../../support/checks/wait.ts'
import { type HttpServer, startHttp } from '../../support/outside/http-server.ts'
import { visitor } from '../../support/systems/people.ts'
import { startRedis, type TestRedis } from '../../support/systems/redis.ts'

describe('Bull Board', () => {
  let redis: TestRedis
  let queue: Queue
  let server: HttpServer
  let browser: Browser
  beforeAll(async () => {
    redis = await startRedis({ persistent: false })
    const connection = { host: '127.0.0.1', port: redis.port }
    queue = new Queue(QUEUE_NAME, { connection })
    server = await startHttp({}, { dispatch: { queue } as unknown as Parts['dispatch'] })
    browser = await startBrowser()

    await queue.add('turn', { taskId: 'tsk_7', turn: 1, signature: 'ab' }, { ...JOB_RETRY, jobId: 'tsk_7-1' })
    const settings = { backoffStrategy: () => 60_000 }
    const fail = () => Promise.reject(new Error('the sandbox image is not here'))
    const worker = new Worker(QUEUE_NAME, fail, { connection, settings })
    await waitFor('the job to wait for another try', async () => (await queue.getDelayedCount()) === 1)
    await worker.close()
  })
  afterAll(async () => {
    await browser.close()
    await server.stop()
    await queue.close()
    await redis.stop()
  })

  const linkOf = async (token: string) =>
    ((await (await server.call('POST', '/auth/links', { token })).json()) as { url: string }).url

  it('shows the queue with its retried job to an admin, in a real browser', async () => {
    const { page, faults } = await openPage(browser)
    await signIn(page, await linkOf(server.owner.token))
    await page.goto(`${server.url}/admin/queues/queue/${QUEUE_NAME}?status=delayed`)
    await page.getByText('tsk_7-1').first().waitFor()
    expect(await page.locator('body').textContent()).toContain(QUEUE_NAME)
    await page.goto(`${server.url}/admin/queues/queue/${QUEUE_NAME}/tsk_7-1`)
    await page.getByText('Error', { exact: true }).click()
    await page.getByText('the sandbox image is not here').first().waitFor()
    // Its font from another host is kept out on purpose.
    expect(faults.filter((fault) => !fault.includes('fonts.googleapis.com'))).toEqual([])
    const retry = await page.evaluate(
      `fetch('/admin/queues/api/queues/${QUEUE_NAME}/tsk_7-1/promote', { method: 'PUT' }).then((answer) => answer.status)`,
    )
    expect(retry).toBe(405)
  })

  it('is refused to a user who is no admin, in a browser and by token', async () => {
    const mona = await server.addUser('mona')
    const { page } = await openPage(browser)
    await signIn(page, await linkOf(mona.token))
    expect((await page.goto(`${server.url}/admin/queues`))?.status()).toBe(403)
    expect(await page.locator('body').textContent()).toContain('Admins only')
    for (const path of ['', '/', '/api/queues', '/static/js/main.js'])
      expect((await server.call('GET', `/admin/queues${path}`, { token: mona.token })).status).toBe(403)
    expect((await server.call('GET', '/admin/queues/api/queues')).status).toBe(200)
  })

  it('sends a browser without a session to the start page, and a program away', async () => {
    const sent = await visitor(server.url).get('/admin/queues')
    expect([sent.status, sent.headers.get('location')]).toEqual([303, '/'])
    expect((await fetch(`${server.url}/admin/queues/api/queues`)).status).toBe(401)
    expect((await server.call('GET', '/admin/queues', { token: 'unknown', headers: { accept: 'text/html' } })).status).toBe(401)
  })
})
