import type { ServerResponse } from 'node:http'
import Anthropic from '@anthropic-ai/sdk'
import type { EventData } from '../../../../contract/api/event.ts'
import type { GatewayOptions } from '../../../../runner/gateway/gateway.ts'
import { waitFor } from '../../../support/checks/wait.ts'
import { type Door, KEY, type LeaseChange, MODEL, openDoor } from '../door.ts'
import { type Seen, startUpstream, type Upstream } from './model-upstream.ts'

export type ModelDoor = {
  door: Door
  upstream: Upstream
  ask: (body: unknown, headers?: Record<string, string>, query?: string) => Promise<Response>
  /** The model SDK as anybody would set it up, without its retry. */
  client: () => Anthropic
  counted: () => EventData<'usage.counted'>[]
  waitForCount: () => Promise<EventData<'usage.counted'>>
  close: () => Promise<void>
}

/** A call that anybody may make. */
export const BODY = { model: MODEL, max_tokens: 100, stream: true, messages: [{ role: 'user', content: 'hi' }] }

/** A gateway in front of a model API that answers with `reply`. */
export async function openModelDoor(
  reply: (response: ServerResponse, seen: Seen) => unknown,
  lease: LeaseChange = {},
  options: Partial<Omit<GatewayOptions, 'lease'>> = {},
): Promise<ModelDoor> {
  const upstream = await startUpstream(reply)
  const door = await openDoor({ modelApi: { baseUrl: upstream.url, key: KEY }, ...lease }, options)
  const counted = () => door.said.flatMap((said) => (said.type === 'usage.counted' ? [said.data] : []))
  return {
    door,
    upstream,
    ask: (body, headers = {}, query = '') =>
      fetch(`${door.url}/llm/v1/messages${query}`, {
        method: 'POST',
        headers: { ...door.headers, 'content-type': 'application/json', 'anthropic-version': '2026-10-21', ...headers },
        body: typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body),
      }),
    client: () => new Anthropic({ apiKey: door.token, baseURL: `${door.url}/llm`, maxRetries: 0 }),
    counted,
    waitForCount: () => waitFor('usage to be counted', () => counted()[0]),
    close: async () => {
      await door.close()
      await upstream.stop()
    },
  }
}
