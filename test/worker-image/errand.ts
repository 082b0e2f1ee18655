import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { PassThrough, Readable } from 'node:stream'
import type { EventData } from '../../contract/api/event.ts'
import { cancelled } from '../../contract/wire/end.ts'
import { branchPrefix } from '../../contract/wire/names.ts'
import { type AgentEvent, AgentLine, type Assignment, type SteerMessage } from '../../contract/wire/sandbox.ts'
import { createMailbox, type Mailbox } from '../../runner/attempt/mailbox.ts'
import type { GatewayOptions } from '../../runner/gateway/gateway.ts'
import { createDoor } from '../../worker-image/door/door.ts'
import { createVoice } from '../../worker-image/door/voice.ts'
import type { HandsConfig } from '../../worker-image/hands/config.ts'
import type { Hands } from '../../worker-image/hands/hands.ts'
import { createOperations, type Operations } from '../../worker-image/hands/operations.ts'
import { OPERATIONS } from '../../worker-image/hands/protocol.ts'
import type { ModelTiming } from '../../worker-image/model/ask-model.ts'
import type { Config } from '../../worker-image/process/config.ts'
import { createLog } from '../../worker-image/process/log.ts'
import { runTurn } from '../../worker-image/turn/run-turn.ts'
import { type Door, MODEL, openDoor, TASK } from '../runner/gateway/door.ts'
import { type GitServer, startGitServer } from '../support/outside/git-server.ts'
import { type ModelServer, type Policy, startModelServer } from '../support/outside/model-server.ts'
import { temporaryFolder } from '../support/systems/temporary.ts'

const GIT = { username: 'x-access-token', password: 'git-CANARY-token' }
const MODEL_KEY = 'sk-ant-CANARY'

/** All waits of a model call, short enough for a test and long enough for a busy machine. */
export const QUICK: ModelTiming = {
  firstByteMs: 5000,
  silenceMs: 500,
  eventMs: 60_000,
  backoffMs: 5,
  maxBackoffMs: 20,
  parkAfterMs: 120_000,
}

export type Errand = {
  /** Runs the turn to its end, in this process. @returns what the agent emitted */
  run: () => Promise<AgentLine[]>
  cancel: () => void
  /** The next run has a sandbox of its own: an empty disk, and no cancel yet. */
  freshWorkspace: () => void
  lines: AgentLine[]
  /** The lines of the agent's log. */
  log: string[]
  model: ModelServer
  git: GitServer
  door: Door
  config: Config
  handsConfig: HandsConfig
  assignment: Assignment
  /** The repository on the git host, as a bare one on disk. */
  origin: string
  stop: () => Promise<void>
}

export type ErrandOptions = {
  policy: Policy
  files?: Record<string, string>
  assignment?: Partial<Assignment>
  /** What the gateway lets pass, US dollars; the agent knows `assignment.budgetUsd`. */
  gatewayBudgetUsd?: number
  /** Messages that wait at the gateway for the agent. */
  waiting?: SteerMessage[]
  timing?: Partial<ModelTiming>
  /** Where the gateway differs from one whose coordinator is always there. */
  gateway?: Partial<
    Pick<GatewayOptions, 'confirmLease' | 'awaitLease' | 'keepWork' | 'saveArtifact' | 'openCheckpoint' | 'limitUsd'>
  >
  /** The key that the gateway adds; any other is refused by the model server. */
  modelKey?: string
}

/** The agent with everything around it, all real but for the model: the gateway, `git http-backend` behind a password, a work tree. */
export async function startErrand(options: ErrandOptions): Promise<Errand> {
  const folder = await temporaryFolder()
  const git = await startGitServer(GIT)
  const repository = await git.addRepository('ada/engine', { files: options.files ?? FILES })
  const model = await startModelServer({ key: MODEL_KEY, policy: options.policy })
  const assignment = assignmentFor(repository.url, options.assignment)
  const door = await openErrandsDoor(options, { assignment, repoUrl: repository.url, modelUrl: model.url })
  const config = configIn(folder.path, door)
  const handsConfig = handsConfigIn(folder.path, door)
  const agent = openAgent(options, { config, handsConfig, door, assignment, folder: folder.path })
  return {
    ...agent,
    model,
    git,
    door,
    config,
    handsConfig,
    assignment,
    origin: repository.path,
    stop: async () => {
      await door.close()
      await Promise.all([model.stop(), git.stop()])
      await folder.remove()
    },
  }
}

function assignmentFor(repoUrl: string, change: Partial<Assignment> = {}): Assignment {
  return {
    taskId: TASK,
    attempt: 1,
    turn: 1,
    prompt: 'Make add() add.',
    messageId: 'm1',
    hasTranscript: false,
    repoUrl,
    baseBranch: null,
    branch: `${branchPrefix(TASK)}make-add-add`,
    model: MODEL,
    effort: null,
    budgetUsd: 50,
    timeLimitMs: 600_000,
    modelWaitMs: 180_000,
    ...change,
  }
}

type Around = { assignment: Assignment; repoUrl: string; modelUrl: string }

async function openErrandsDoor(options: ErrandOptions, { assignment, repoUrl, modelUrl }: Around): Promise<Door> {
  const door: Door = await openDoor(
    {
      ...assignment,
      repo: { upstream: repoUrl, username: GIT.username, token: GIT.password },
      modelApi: { baseUrl: modelUrl, key: options.modelKey ?? MODEL_KEY },
      budgetUsd: options.gatewayBudgetUsd ?? 50,
    },
    {
      openCheckpoint: async () => {
        const stored = door.tail.kept.get('checkpoint')
        return stored ? Readable.from([stored]) : null
      },
      ...options.gateway,
      ...deliveries(options, assignment, (event) => door.said.push(event)),
      openTranscript: async () => {
        const stored = door.artifacts.get('transcript') ?? door.tail.kept.get('journal')
        return stored ? Readable.from([stored]) : null
      },
    },
  )
  return door
}

/** A mailbox for each attempt, as a runner has it; the test's waiting messages arrive when the agent asks. */
function deliveries({ waiting = [] }: ErrandOptions, assignment: Assignment, emit: GatewayOptions['emit']) {
  const mailboxes = new Map<number, Mailbox>()
  const mailbox = () => {
    const { attempt, prompt } = assignment
    const known = mailboxes.get(attempt) ?? createMailbox([], prompt)
    mailboxes.set(attempt, known)
    known.put(waiting)
    return known
  }
  const { turn } = assignment
  return {
    messages: { handOut: () => mailbox().handOut(), undelivered: () => mailbox().undelivered() },
    modelTook: (said) => {
      for (const messageId of mailbox().deliver(said)) emit({ type: 'message.delivered', data: { messageId, turn } })
    },
  } satisfies Partial<GatewayOptions>
}

type Changeable<T> = { -readonly [K in keyof T]: T[K] }

function configIn(folder: string, door: Door): Changeable<Config> {
  return {
    token: door.token,
    doorSocket: join(door.directory, 'door.sock'),
    handsSocket: join(folder, 'hands.sock'),
    workspace: join(folder, 'repository'),
    remote: `${door.hands.url}/git/repository.git`,
    home: join(folder, 'home'),
  }
}

function handsConfigIn(folder: string, door: Door): Changeable<HandsConfig> {
  return {
    agentSocket: join(folder, 'hands.sock'),
    doorSocket: join(door.directory, 'hands.sock'),
    port: door.hands.port,
    doorUrl: door.hands.url,
    workspace: join(folder, 'repository'),
    scratch: join(folder, 'scratch'),
    run: randomUUID(),
    inherited: { PATH: process.env.PATH ?? '', HOME: folder },
  }
}

type Inside = {
  config: Changeable<Config>
  handsConfig: Changeable<HandsConfig>
  door: Door
  assignment: Assignment
  folder: string
}
type Agent = Pick<Errand, 'run' | 'cancel' | 'freshWorkspace' | 'lines' | 'log'>

function openAgent({ timing }: ErrandOptions, { config, handsConfig, door, assignment, folder }: Inside): Agent {
  const lines: AgentLine[] = []
  const log: string[] = []
  let sandboxes = 1
  let controller = new AbortController()
  return {
    run: async () => {
      const output = new PassThrough()
      const voice = createVoice({ output, secrets: [config.token], gatherMs: 5 })
      let rest = ''
      output.setEncoding('utf8').on('data', (text: string) => {
        const border = (rest + text).lastIndexOf('\n') + 1
        lines.push(...readLines((rest + text).slice(0, border)))
        rest = (rest + text).slice(border)
      })
      await runTurn({
        config,
        assignment,
        door: createDoor({ url: door.url, token: config.token, patience: controller.signal }),
        doorUrl: door.url,
        hands: handsOf(createOperations(handsConfig)),
        voice,
        log: createLog([config.token], (line) => log.push(line)),
        signal: controller.signal,
        timing: { ...QUICK, ...timing },
      })
      await voice.flush()
      return lines
    },
    cancel: () => controller.abort(cancelled()),
    freshWorkspace: () => {
      sandboxes += 1
      controller = new AbortController()
      config.workspace = handsConfig.workspace = join(folder, `repository-${sandboxes}`)
      config.home = join(folder, `home-${sandboxes}`)
      handsConfig.scratch = join(folder, `scratch-${sandboxes}`)
    },
    lines,
    log,
  }
}

/** The hands within this process. What passes is held to the protocol, as over their socket. */
export function handsOf(operations: Operations): Hands {
  const never = new AbortController().signal
  return {
    call: async (name, input, { signal = never, onOutput = () => undefined } = {}) => {
      const operation = operations[name] as (...given: unknown[]) => Promise<unknown>
      const result = await operation(throughJson(input), { signal, onOutput })
      return OPERATIONS[name].output.parse(throughJson(result)) as never
    },
  }
}

function throughJson(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value))
}

/** A package whose only test fails. */
const FILES = {
  'package.json': '{ "name": "engine", "type": "module", "scripts": { "test": "node --test" } }\n',
  'add.js': 'export const add = (a, b) => a - b\n',
  'add.test.js':
    "import { test } from 'node:test'\nimport assert from 'node:assert'\nimport { add } from './add.js'\ntest('adds', () => assert.equal(add(2, 3), 5))\n",
}

/** @returns the lines, each held to the contract's own schema: one that breaks its bounds fails the test. What an agent was killed in the middle of is no line. */
export function readLines(output: string): AgentLine[] {
  return output.split('\n').flatMap((line) => (line.endsWith('}') ? [AgentLine.parse(JSON.parse(line))] : []))
}

/** @returns the data of the events of one type, in their order */
export function eventsOf<T extends AgentEvent['type']>(lines: readonly AgentLine[], type: T): EventData<T>[] {
  return lines.flatMap((line) => (line.type === type ? [(line as AgentEvent).data as EventData<T>] : []))
}

/** @returns the one end of the turn. @throws Error when there is none, or more */
export function endOf(lines: readonly AgentLine[]) {
  const ends = eventsOf(lines, 'turn.ended')
  const [end] = ends
  if (!end || ends.length > 1) throw new Error(`one turn.ended was expected, and these came: ${JSON.stringify(ends)}`)
  return end
}
