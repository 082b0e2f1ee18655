import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { PushSubscription } from '../../../contract/api/api.ts'
import { waitFor } from '../checks/wait.ts'
import { freePort } from '../systems/temporary.ts'

export type PushService = {
  /** As a browser with this server's key would. `hash` names the subscription in the calls below. */
  subscribe: (vapidPublicKey: string) => Promise<{ subscription: PushSubscription; hash: string }>
  /** What the browser got, decrypted. */
  received: (hash: string) => Promise<unknown[]>
  /** From now on the service answers 410, as for a browser that took its permission back. */
  expire: (hash: string) => Promise<void>
  stop: () => Promise<void>
}

const PROGRAM = `
  const { PushApiModel } = require('web-push-testing/src/PushApiModel.js')
  const Server = require('web-push-testing/src/server.js')
  new Server(new PushApiModel(), Number(process.argv[1])).startServer()`

/** web-push-testing: a push service on this machine, which checks signatures and decrypts as a real service and browser do. */
export async function startPushService(): Promise<PushService> {
  const port = await freePort()
  const child = spawn(process.execPath, ['-e', PROGRAM, String(port)], { stdio: 'ignore' })
  const call = async (path: string, body: object = {}) => {
    const response = await fetch(`http://localhost:${port}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`)
    return response
  }
  await waitFor('the push service', () => call('/status'))
  return {
    subscribe: async (applicationServerKey) => {
      const answer = await call('/subscribe', { userVisibleOnly: 'true', applicationServerKey })
      const { endpoint, keys, clientHash } = ((await answer.json()) as { data: PushSubscription & { clientHash: string } }).data
      return { subscription: { endpoint, keys }, hash: clientHash }
    },
    received: async (clientHash) => {
      const answer = (await (await call('/get-notifications', { clientHash })).json()) as { data: { messages: string[] } }
      return answer.data.messages.map((text) => JSON.parse(text))
    },
    expire: async (hash) => void (await call(`/expire-subscription/${hash}`)),
    stop: async () => {
      const closed = once(child, 'close')
      child.kill()
      await closed
    },
  }
}
