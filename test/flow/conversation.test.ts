import { afterEach, describe, expect, it } from '@jest/globals'
import type { Message, SendMessage } from '../../contract/api/api.ts'
import { saidIn, seenByModel, seenByPerson, workIn } from '../support/checks/conversation.ts'
import { expectWhole } from '../support/checks/event-list.ts'
import { waitFor } from '../support/checks/wait.ts'
import { type GitServer, startGitServer } from '../support/outside/git-server.ts'
import { type ModelServer, type SeenRequest, startModelServer } from '../support/outside/model-server.ts'
import type { Reply } from '../support/outside/model-wire.ts'
import { createRandom } from '../support/scripted/random.ts'
import { type System, startSystem } from '../support/systems/system.ts'
import { makeTrouble, type Trouble } from './trouble.ts'

const TIMEOUT_MS = 600_000
const PATIENCE_MS = 180_000
const GIT = { username: 'x', password: 'git-password' }
const TURNS = ['one', 'two', 'three', 'four', 'five']
const STEPS = 3
/** Of the coordinator, and of the runner. */
const KILLS_EACH = 3
/** Another conversation each time; `TEST_SEED` brings one back. */
const SEED = Number(process.env.TEST_SEED ?? Date.now() % 1_000_000)

let system: System
let model: ModelServer
let git: GitServer
let trouble: Trouble | undefined
afterEach(async () => {
  await trouble?.stop().catch(() => {})
  await system?.stop()
  await Promise.all([model?.stop(), git?.stop()])
})

describe('a conversation of five turns, while coordinator and runner are killed', () => {
  it(
    `is for the model what it is for the person: in order, and each word once (seed ${SEED})`,
    async () => {
      const random = createRandom(SEED)
      /** Turns that the model was asked for, and those that it may work on: what is said to a turn under way is said in between. */
      const begun = new Set<string>()
      const free = new Set<string>()
      model = await startModelServer({ key: 'sk-key', policy: works({ begun, free, mayEnd: () => trouble?.isOver() ?? false }) })
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
      const { id } = await system.send({ repoUrl: repository.url, prompt: TURNS[0] ?? '' })
      const { say, takeBack } = personOf(id)
      trouble = makeTrouble(system, id, random, KILLS_EACH)

      try {
        for (const [index, turn] of TURNS.entries()) {
          await waitFor(`the model to be asked for ${turn}`, () => begun.has(turn), PATIENCE_MS)
          const next = TURNS[index + 1]
          const queuesNext = next !== undefined && random.percent(60)
          const deeds = [
            ...(queuesNext ? [() => say(next, 'queue')] : []),
            ...(random.percent(70) ? [() => say(`steer-${turn}`, 'steer')] : []),
            ...(random.percent(50) ? [async () => takeBack(await say(`never-${turn}`, 'queue'))] : []),
            ...(random.percent(50) ? [async () => takeBack(await say(`doubt-${turn}`, 'steer'))] : []),
            async () => free.add(turn),
          ]
          for (const deed of random.shuffled(deeds)) await deed()
          if (next === undefined || queuesNext) continue
          await ended(id)
          await say(next, random.percent(50) ? 'queue' : 'steer')
        }
        const messagesOf = async () => (await system.api<{ items: Message[] }>(`/api/tasks/${id}/messages`)).body.items
        await waitFor('no message to wait', async () => textsOf(await messagesOf(), 'waiting').length === 0, PATIENCE_MS, 200)
        await ended(id)
        await trouble.stop()
        expect(trouble.done.map((kill) => kill.split(' ')[0]).sort()).toEqual([
          ...Array.from({ length: KILLS_EACH }, () => 'coordinator'),
          ...Array.from({ length: KILLS_EACH }, () => 'runner'),
        ])

        const [events, messages] = [await system.events(id), await messagesOf()]
        const [ofModel, ofPerson] = [seenByModel(model.requests.at(-1) as SeenRequest), seenByPerson(events)]
        expectWhole(events)
        const said = saidIn(ofModel)
        expect(saidIn(ofPerson)).toEqual(said)
        expect(new Set(said).size).toBe(said.length)
        expect(said.filter((text) => TURNS.includes(text))).toEqual(TURNS)
        expect([...said].sort()).toEqual([TURNS[0], ...textsOf(messages, 'delivered').filter((text) => text !== TURNS[0])].sort())
        expect(textsOf(messages, 'waiting')).toEqual([])
        // The last words of all are in no request.
        expect(workIn(ofPerson)).toEqual([...workIn(ofModel), { who: 'wrote', text: `Done after ${stepsIn(ofModel)}.` }])
        expect(model.refusals).toEqual([])
        expect((await system.task(id)).status).toBe('completed')
      } catch (error) {
        const told = seenByPerson(await system.events(id)).map(({ who, text }) => `${who} ${text}`)
        throw new Error(`seed ${SEED}; killed: ${trouble.done.join(', ')}; so far:\n${told.join('\n')}`, { cause: error })
      }
    },
    TIMEOUT_MS,
  )
})

type Works = {
  begun: Set<string>
  free: Set<string>
  /** Until then the last turn goes on, so that no kill is left over. */
  mayEnd: () => boolean
}

/** A model that runs some commands for whatever it is told, one after the other. What it is at follows from the conversation alone. */
function works({ begun, free, mayEnd }: Works) {
  return async (request: SeenRequest): Promise<Reply> => {
    const lines = seenByModel(request)
    const since = lines.slice(lines.findLastIndex(({ who }) => who === 'said'))
    const turn = saidIn(lines).findLast((text) => TURNS.includes(text)) ?? ''
    const isNew = stepsIn(lines.slice(lines.findLastIndex(({ text }) => text === turn))) === 0
    begun.add(turn)
    if (isNew) await waitFor(`${turn} to be let go`, () => free.has(turn), PATIENCE_MS)
    const step = stepsIn(lines) + 1
    if (stepsIn(since) >= STEPS && (turn !== TURNS.at(-1) || mayEnd()))
      return { content: [{ type: 'text', text: `Done after ${step - 1}.` }] }
    return {
      content: [
        { type: 'text', text: `Step ${step}.` },
        { type: 'tool_use', name: 'bash', input: { command: `echo ${step} >> log.txt` } },
      ],
    }
  }
}

function stepsIn(lines: ReturnType<typeof seenByModel>): number {
  return lines.filter(({ who }) => who === 'ran').length
}

/** Says and takes back as a client does: the same again until there is an answer. */
function personOf(id: string) {
  return {
    say: (text: string, mode: SendMessage['mode']): Promise<Message> =>
      waitFor(
        `"${text}" to be taken`,
        async () => {
          const body = { text, mode, clientId: text }
          const answer = await system.api<Message>(`/api/tasks/${id}/messages`, { method: 'POST', body })
          return [200, 201].includes(answer.status) ? answer.body : null
        },
        PATIENCE_MS,
      ),
    /** 409: the agent has it. */
    takeBack: (message: Message) =>
      waitFor(
        `"${message.text}" to be withdrawn`,
        async () =>
          [200, 409].includes((await system.api(`/api/tasks/${id}/messages/${message.id}`, { method: 'DELETE' })).status),
        PATIENCE_MS,
      ),
  }
}

function textsOf(messages: readonly Message[], state: Message['state']): string[] {
  return messages.flatMap((message) => (message.state === state ? [message.text] : []))
}

function ended(id: string) {
  return system.ended(id, PATIENCE_MS)
}
