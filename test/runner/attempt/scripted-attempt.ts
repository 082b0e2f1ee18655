import type { Readable } from 'node:stream'
import { text as textOf } from 'node:stream/consumers'
import { pino } from 'pino'
import type { Lease } from '../../../contract/wire/lease.ts'
import type { Orphan } from '../../../runner/attempt/adopt.ts'
import { createAttempts } from '../../../runner/attempt/attempts.ts'
import { runAttempt } from '../../../runner/attempt/run-attempt.ts'
import type { GatewayOptions } from '../../../runner/gateway/gateway.ts'
import { createCoordinatorClient } from '../../../runner/lease/coordinator-client.ts'
import { startRenewals } from '../../../runner/lease/renewals.ts'
import type { HostReader, Patches, PatchRequest } from '../../../runner/patch/make-patches.ts'
import { openPublisher } from '../../../runner/river/publisher.ts'
import type { EngineFault } from '../../../runner/sandbox/sandbox.ts'
import { waitFor } from '../../support/checks/wait.ts'
import { leaseOf, RUNNER_TOKEN, startScriptedCoordinator } from '../../support/scripted/scripted-coordinator.ts'
import { type Step, scriptedEngine } from '../../support/scripted/scripted-sandbox.ts'
import { temporaryFolder } from '../../support/systems/temporary.ts'

const RUNNER = { id: 'r1', name: 'test', slots: 1 }
const log = pino({ level: 'silent' })

export type ScriptedAttempt = Awaited<ReturnType<typeof openScriptedAttempt>>

/** An attempt on a real river, with a scripted coordinator at its one end and a scripted sandbox at the other. */
export async function openScriptedAttempt() {
  const folder = await temporaryFolder()
  const { coordinator, parts, close } = await openRiver()
  const [leave, drain, now] = [new AbortController(), new AbortController(), new AbortController()]
  const events = () => coordinator.attempts.get('t1/1')?.events ?? []
  const types = () => events().map(({ type }) => type)
  const state = {
    folder,
    coordinator,
    leave,
    drain,
    now,
    engine: scriptedEngine(() => []),
    gateway: null as GatewayOptions | null,
    gatewaysClosed: 0,
    /** What was asked of the git host, and what it gives; at first it is away. */
    asked: [] as PatchRequest[],
    makePatches: (): Promise<Patches> => Promise.reject(new Error('no git host')),
    /** The commit that the task's branch has on the git host. */
    commitOf: async (): Promise<string | null> => null,
    /** The artifacts that the runner stored. */
    saved: new Map<string, string>(),
    /** A test may name another one. */
    spoolDirectory: folder.path,
  }
  const openGateway = async (options: GatewayOptions) => {
    state.gateway = options
    return { token: 'the-task-token', close: async () => void state.gatewaysClosed++ }
  }

  return Object.assign(state, {
    /** Runs the attempt to its end; its sandbox follows the steps, or cannot be started. */
    run: (steps: Iterable<Step> | EngineFault, change: Partial<Pick<Lease, 'messages' | 'pushed'>> = {}, orphan?: Orphan) => {
      const lease = leaseOf('t1', 1, { signingKey: coordinator.expect('t1', 1, RUNNER.id), ...change })
      const engine = scriptedEngine(() => steps)
      state.engine = engine
      const { spoolDirectory } = state
      const gitHost: HostReader = {
        makePatches: (request) => {
          state.asked.push(request)
          return state.makePatches()
        },
        commitOf: () => state.commitOf(),
      }
      const saveArtifact = async (_task: string, _attempt: number, kind: string, body: Readable) =>
        void state.saved.set(kind, await textOf(body))
      const client = { ...parts.client, saveArtifact }
      const all = { ...parts, engine, client, openGateway, gitHost, spoolDirectory, doorsDirectory: folder.path }
      return runAttempt(all, lease, { leave: leave.signal, drain: drain.signal, now: now.signal }, orphan)
    },
    /** What the coordinator stored. */
    events,
    types,
    untilTurnStarts: () => waitFor('the turn to start', () => types().includes('turn.started')),
    close: async () => {
      await close()
      await folder.remove()
    },
  })
}

/** A scripted coordinator, and what an attempt needs of its runner besides engine and gateway. */
async function openRiver() {
  const coordinator = await startScriptedCoordinator({ persistent: false })
  const attempts = createAttempts()
  const publisher = openPublisher({ redisUrl: coordinator.redis.url, runnerId: RUNNER.id, attempts, log })
  const client = createCoordinatorClient({ url: coordinator.url, token: RUNNER_TOKEN, proofOf: attempts.proofOf, log })
  const renewals = startRenewals({ client, runner: RUNNER, attempts, log, everyMs: 50 })
  return {
    coordinator,
    parts: {
      attempts,
      renewals,
      publisher,
      keptWork: { keep: async () => undefined },
      client: { saveArtifact: async () => undefined, openTranscript: async () => null, openCheckpoint: async () => null },
      coordinatorUrl: coordinator.url,
      npmRegistryUrl: 'http://127.0.0.1:9',
      machine: { cpus: 2, memoryMb: 4096, workspaceMb: 2048, allowedHosts: [] },
      secrets: [RUNNER_TOKEN],
      log,
    },
    close: async () => {
      await renewals.stop()
      publisher.close()
      await coordinator.stop()
    },
  }
}
