import { randomBytes } from 'node:crypto'
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Logger } from 'pino'
import type { NewEvent } from '../../contract/api/event.ts'
import { LIMITS } from '../../contract/api/limits.ts'
import type { Lease } from '../../contract/wire/lease.ts'
import type { AgentDelta, AgentEvent, Machine } from '../../contract/wire/sandbox.ts'
import type { Gateway, GatewayOptions } from '../gateway/gateway.ts'
import type { CoordinatorClient } from '../lease/coordinator-client.ts'
import type { Renewals } from '../lease/renewals.ts'
import { cleanText, createAllowance, presentable, readAgentLine } from '../output/agent-lines.ts'
import { createRedactor, type Redactor } from '../output/redact.ts'
import type { HostReader } from '../patch/make-patches.ts'
import { within } from '../process/deadline.ts'
import type { Delivery } from '../river/delivery.ts'
import type { Publisher } from '../river/publisher.ts'
import type { Spool } from '../river/spool.ts'
import { EngineFault, type FoundSandbox, type Sandbox, type SandboxEnd, type SandboxEngine } from '../sandbox/sandbox.ts'
import type { Allowance } from './allowance.ts'
import type { HostFault } from './attempt-end.ts'
import type { KeptWork } from './kept-work.ts'
import type { Mailbox } from './mailbox.ts'
import type { Nesting } from './nesting.ts'
import type { Pushes } from './pushes.ts'
import type { Earlier } from './replay.ts'
import type { RunnerStop, StopSwitch } from './stop-switch.ts'
import type { ReportedEnd } from './turn-truth.ts'

export type SandboxParts = {
  engine: SandboxEngine
  openGateway: (options: GatewayOptions) => Promise<Gateway>
  client: Pick<CoordinatorClient, 'saveArtifact' | 'openTranscript' | 'openCheckpoint'>
  renewals: Pick<Renewals, 'confirm' | 'awaitLease' | 'isRetired'>
  keptWork: Pick<KeptWork, 'keep'>
  publisher: Pick<Publisher, 'delta'>
  gitHost: HostReader
  doorsDirectory: string
  coordinatorUrl: string
  npmRegistryUrl: string
  machine: Machine
  /** The runner's own secrets; no event may show them. */
  secrets: readonly string[]
}

/** A running attempt, as the functions below share it. */
export type Attempt = {
  parts: SandboxParts
  lease: Lease
  spool: Spool
  delivery: Delivery
  mailbox: Mailbox
  allowance: Allowance
  tree: Nesting
  pushes: Pushes
  /** What an earlier process of this runner did of it. */
  earlier: Earlier
  /** Null until the sandbox reports the end of its turn. */
  ending: { reported: ReportedEnd | null }
  stop: StopSwitch
  log: Logger
}

/** How much disk space the events of one attempt may take. */
const SPOOL_BYTES = 256 * 1024 * 1024
/** How many useless lines a sandbox may print. An honest one prints a few, and each costs as much as a useful one. */
const NOISE_LINES = LIMITS.eventsPerAttempt
/** Faster than any model writes. */
const DELTAS_PER_SECOND = 500
/** How long the last output may wait for a slow disk. */
const TRAILING_MS = 30_000
/** How long a closing gateway waits for its calls, which it has cut. A call that ignores that is left behind. */
const CLOSE_MS = 30_000

/** How the sandbox ended; null: it never ran, or `fault` says why its end is unknown. `remove` removes it with its door, and never throws. */
export type Ran = { sandbox: SandboxEnd | null; fault: HostFault | null; remove: () => Promise<void> }

/**
 * Opens the door, and runs the sandbox behind it to its end. When it returns, all their events have been emitted.
 * @param found the attempt's sandbox, if an earlier process started it
 * @returns `left`: the sandbox runs on for the next process
 */
export async function runSandbox(attempt: Attempt, runnerStop: RunnerStop, found: FoundSandbox | null): Promise<Ran | 'left'> {
  const { parts, log } = attempt
  const directory = found?.doorDirectory ?? join(parts.doorsDirectory, randomBytes(6).toString('hex'))
  const removeDoor = () => tried(log, 'door.remove_failed', () => rm(directory, { recursive: true, force: true }))
  const behind: Behind = { directory, found, sandbox: null, leave: runnerStop.leave }
  const remove = async () => {
    if (behind.sandbox) await tried(log, 'sandbox.remove_failed', behind.sandbox.remove)
    await removeDoor()
  }
  try {
    // The sandbox's user must be able to open it; the directory above keeps out everyone else on the host.
    if (!found) await mkdir(directory, { mode: 0o755 })
    return { sandbox: await runBehindDoor(attempt, behind), fault: null, remove }
  } catch (error) {
    if (runnerStop.leave.aborted) {
      if (!behind.sandbox) await removeDoor()
      return 'left'
    }
    log.error({ event: 'attempt.fault', err: error })
    // It may still run, and the turn will be tried again.
    await remove()
    return { sandbox: null, fault: hostFault(error), remove: async () => undefined }
  }
}

type Behind = {
  directory: string
  found: FoundSandbox | null
  /** Null until it runs. */
  sandbox: Sandbox | null
  leave: AbortSignal
}

async function runBehindDoor(attempt: Attempt, behind: Behind): Promise<SandboxEnd | null> {
  const { parts, lease, earlier, log, stop } = attempt
  const { directory, found, leave } = behind
  const known = secretsOf(lease, parts.secrets)
  const startHands = async () => behind.sandbox?.startHands()
  const gateway = await parts.openGateway({
    ...gatewayOptions(attempt, directory, createRedactor(known)),
    startHands,
    ...(found && { resumed: { token: found.token, spentUsd: earlier.spentUsd } }),
  })
  try {
    leave.throwIfAborted()
    if (stop.cause() && !found) return null
    const { taskId, attempt: number } = lease.assignment
    const spec = { taskId, attempt: number, doorDirectory: directory, token: gateway.token }
    behind.sandbox = found ? found.follow() : await parts.engine.start(spec)
    return await follow(attempt, behind.sandbox, createRedactor([...known, gateway.token]), leave)
  } finally {
    await tried(log, 'gateway.close_failed', () => within(CLOSE_MS, gateway.close, leaveBehind))
  }
}

/** Reads the sandbox's output until it ends, and stops it when there is a cause to. @throws EngineFault also when it is left */
async function follow(attempt: Attempt, sandbox: Sandbox, redact: Redactor, leave: AbortSignal): Promise<SandboxEnd> {
  const { stop, log } = attempt
  const unbind = stop.whenStopped((graceMs) => {
    sandbox.stop(graceMs).catch((error) => log.error({ event: 'sandbox.stop_failed', err: error }))
  })
  leave.addEventListener('abort', sandbox.letGo)
  if (leave.aborted) sandbox.letGo()
  const reading = readOutput(attempt, sandbox, redact)
  try {
    const end = await sandbox.wait()
    const errorTail = redact.text(cleanText(end.errorTail))
    if (end.exitCode !== 0) log.warn({ event: 'sandbox.ended', ...end, errorTail })
    return { ...end, errorTail }
  } finally {
    unbind()
    leave.removeEventListener('abort', sandbox.letGo)
    await within(TRAILING_MS, () => reading, leaveBehind)
  }
}

async function readOutput(attempt: Attempt, { lines }: Sandbox, redact: Redactor): Promise<void> {
  const { delivery, earlier, stop, log } = attempt
  const mayShow = createAllowance(DELTAS_PER_SECOND)
  let noise = 0
  try {
    for await (const { text, end } of lines) {
      // An earlier process of this runner has emitted this line.
      if (end <= earlier.outputEnd) continue
      const line = stop.flooded() ? null : readAgentLine(text, redact)
      const wasUseful =
        line !== null && (line.type === 'delta' ? mayShow() && show(attempt, line) : takeEvent(attempt, line, end))
      if (!wasUseful) noise += 1
      if (noise >= NOISE_LINES) stop.because('flooded')
      await delivery.ready()
    }
  } catch (error) {
    // The end of the sandbox shows whether this was the engine's fault.
    log.warn({ event: 'sandbox.output_lost', err: error })
  }
  if (noise > 0) log.warn({ event: 'sandbox.noise', lines: noise })
}

function show({ parts, spool }: Attempt, { callId, offset, text }: AgentDelta): true {
  parts.publisher.delta(spool.header, { ...(callId !== undefined && { callId }), offset, text })
  return true
}

/** The end of a turn waits for the end of its sandbox, and nothing that the sandbox prints after it counts. */
function takeEvent(attempt: Attempt, event: AgentEvent, outputEnd: number): boolean {
  const { ending, stop } = attempt
  if (ending.reported) return false
  if (event.type !== 'turn.ended') return emit(attempt, event, outputEnd)
  ending.reported = { data: event.data, stop: stop.cause() }
  return true
}

/**
 * Emits what fits into the tree, and stops a sandbox that emits more than an attempt may. After that it emits only the cost of a call that
 * was still running.
 * @param outputEnd how many bytes of the sandbox's output are read with it; absent: the sandbox did not print it
 * @returns whether anything was emitted
 */
function emit({ tree, delivery, spool, stop }: Attempt, event: NewEvent, outputEnd?: number): boolean {
  if (stop.flooded() && event.type !== 'usage.counted') return false
  const fitting = tree.admit(event, stop.cause())
  fitting.forEach((one, index) => {
    delivery.emit(one, outputEnd === undefined ? undefined : { end: outputEnd, more: fitting.length - 1 - index })
  })
  if (delivery.count() >= LIMITS.eventsPerAttempt || spool.bytes() >= SPOOL_BYTES) stop.because('flooded')
  return fitting.length > 0
}

function gatewayOptions(attempt: Attempt, directory: string, redact: Redactor): Omit<GatewayOptions, 'startHands'> {
  const { parts, lease, mailbox, pushes, stop, log } = attempt
  const { taskId, attempt: number, turn, hasTranscript, hasCheckpoint } = lease.assignment
  const { renewals, client, keptWork, coordinatorUrl, npmRegistryUrl, machine } = parts
  return {
    lease,
    directory,
    coordinatorUrl,
    npmRegistryUrl,
    machine,
    confirmLease: (gone) => stop.whileAway(gone, (patience) => renewals.confirm(taskId, number, patience)),
    awaitLease: (gone, atMostMs) => stop.whileAway(gone, (patience) => renewals.awaitLease(taskId, number, patience, atMostMs)),
    keepWork: () => (stop.cause() ? (bundle) => keptWork.keep(taskId, number, bundle) : null),
    emit: (event) => {
      if (event.type === 'branch.pushed') pushes.note(event.data)
      emit(attempt, presentable(event, redact))
    },
    hasPushed: pushes.inAttempt,
    saveArtifact: (kind, body, more) => client.saveArtifact(taskId, number, kind, body, more),
    messages: mailbox,
    limitUsd: attempt.allowance.limitUsd,
    modelTook: (said) => {
      for (const messageId of mailbox.deliver(said)) emit(attempt, { type: 'message.delivered', data: { messageId, turn } })
    },
    openTranscript: async () => (hasTranscript ? client.openTranscript(taskId, number) : null),
    openCheckpoint: async () => (hasCheckpoint ? client.openCheckpoint(taskId, number) : null),
    log,
  }
}

function secretsOf({ access, signingKey }: Lease, ours: readonly string[]): (string | null)[] {
  return [access.modelApi.key, access.repo.token, signingKey, ...ours]
}

function hostFault(error: unknown): HostFault {
  if (error instanceof EngineFault) return { reason: error.reason, message: error.message }
  const { code, message }: NodeJS.ErrnoException = error instanceof Error ? error : new Error(String(error))
  return { reason: code === 'ENOSPC' ? 'host_disk_full' : 'runner_stopped', message }
}

function leaveBehind(): void {}

async function tried(log: Logger, event: string, work: () => Promise<unknown>): Promise<void> {
  try {
    await work()
  } catch (error) {
    log.error({ event, err: error })
  }
}
