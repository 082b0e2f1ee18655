import { afterEach, describe, expect, it } from '@jest/globals'
import type { Message } from '../../contract/api.ts'
import type { TaskEvent } from '../../contract/event.ts'
import { expectWhole } from '../support/event-list.ts'
import { type GitServer, startGitServer } from '../support/git-server.ts'
import { type ModelServer, type SeenRequest, startModelServer } from '../support/model-server.ts'
import type { Reply } from '../support/model-wire.ts'
import { type System, startSystem } from '../support/system.ts'
import { waitFor } from '../support/wait.ts'

const TIMEOUT_MS = 400_000
const PATIENCE_MS = 120_000
const GIT = { username: 'x', password: 'git-password' }

let system: System
let model: ModelServer
let git: GitServer
afterEach(async () => {
  await system?.stop()
  await Promise.all([model?.stop(), git?.stop()])
})

/** Words of the person as the model was sent them, in order: each turn's own, and what came between two tools. */
const heard = ({ body }: SeenRequest): string[] =>
  body.messages
    .filter(({ role }) => role === 'user')
    .flatMap(({ content }) => content.flatMap((block) => (block.type === 'text' ? [String(block.text)] : [])))
    .flatMap(
      (text) => /^(?:The task|The next message|A message from the person, sent while you work):\n\n(.*)$/s.exec(text)?.[1] ?? [],
    )

describe('a conversation of five turns, while coordinator and runner are killed', () => {
  it(
    'is for the model what it is for the person: in order, and each word once',
    async () => {
      /** The model runs one command a turn and waits in it until it may go on, so that a test can say something meanwhile. */
      const held = new Map<string, () => void>()
      model = await startModelServer({
        key: 'sk-key',
        policy: async (request): Promise<Reply> => {
          const newest = heard(request).at(-1) ?? ''
          if (request.results.length > 0) return { content: [{ type: 'text', text: `Did ${newest}` }] }
          await new Promise<void>((go) => held.set(newest, go))
          return { content: [{ type: 'tool_use', name: 'bash', input: { command: `echo ${newest} >> log.txt` } }] }
        },
      })
      git = await startGitServer(GIT)
      const repository = await git.addRepository('ada/engine', { files: { 'a.txt': 'a\n' } })
      system = await startSystem({
        environment: {
          ANTHROPIC_API_KEY: 'sk-key',
          ANTHROPIC_BASE_URL: model.url,
          ERRAND_GIT_HOSTS: new URL(repository.url).origin,
          ERRAND_BUDGET_USD: '100',
        },
      })
      const { host } = new URL(repository.url)
      await system.api('/api/me/credentials', { method: 'PUT', body: { host, username: GIT.username, token: GIT.password } })
      const { id } = await system.send({ repoUrl: repository.url, prompt: 'one' })
      const say = async (text: string, mode: 'steer' | 'queue') => {
        const body = { text, mode, clientId: text }
        const sent = await system.api<Message>(`/api/tasks/${id}/messages`, { method: 'POST', body })
        expect([200, 201]).toContain(sent.status)
        return sent.body
      }
      const atWork = (text: string) => waitFor(`the model to be asked for ${text}`, () => held.has(text), PATIENCE_MS)
      const goOn = (text: string) => held.get(text)?.()
      const restartCoordinator = async () => {
        await system.coordinator.kill()
        await system.coordinator.start()
      }

      await atWork('one')
      await say('two', 'queue')
      await say('never', 'queue')
      const { body: messages } = await system.api<{ items: Message[] }>(`/api/tasks/${id}/messages`)
      const never = messages.items.find(({ text }) => text === 'never')
      await restartCoordinator()
      expect((await system.api(`/api/tasks/${id}/messages/${never?.id}`, { method: 'DELETE' })).status).toBe(200)
      await say('steer-one', 'steer')
      await say('steer-one', 'steer')
      goOn('one')

      await atWork('two')
      await say('steer-two', 'steer')
      await system.runners[0]?.kill()
      held.delete('two')
      await system.runners[0]?.start()
      await atWork('two')
      await say('three', 'queue')
      goOn('two')

      await atWork('three')
      await restartCoordinator()
      goOn('three')
      const third = await system.ended(id, PATIENCE_MS)
      expect(third).toMatchObject({ status: 'completed', turn: 3 })

      await say('four', 'steer')
      await atWork('four')
      await say('five', 'queue')
      goOn('four')
      await atWork('five')
      goOn('five')
      await waitFor(
        'turn five to end',
        async () => (await system.task(id)).turn === 5 && (await system.ended(id)).turn === 5,
        PATIENCE_MS,
      )

      const events = await system.events(id)
      expectWhole(events)
      const wanted = ['one', 'steer-one', 'two', 'steer-two', 'three', 'four', 'five']
      expect(model.requests.at(-1) && heard(model.requests.at(-1) as SeenRequest)).toEqual(wanted)
      expect(deliveredIn(events)).toEqual(wanted)
      expect(model.refusals).toEqual([])
      expect(await system.task(id)).toMatchObject({ status: 'completed', diff: { files: 1 } })
    },
    TIMEOUT_MS,
  )
})

/** What a person sees as said and heard, in order. */
const deliveredIn = (events: readonly TaskEvent[]): string[] => {
  const texts = new Map<string, string>()
  const order: string[] = []
  for (const event of events) {
    if (event.type === 'message.received') texts.set(event.data.messageId, event.data.text)
    if (event.type === 'message.received' && event.data.mode === null) order.push(event.data.text)
    if (event.type === 'message.delivered') order.push(texts.get(event.data.messageId) ?? '')
  }
  return order
}
