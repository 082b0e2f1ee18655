import { randomBytes } from 'node:crypto'
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Logger } from 'pino'
import type { NewEvent } from '../../contract/api/event.ts'
import { LIMITS } from '../../contract/api/limits.ts'
import type { Lease } from '../../contract/wire/lease.ts'
import type { AgentDelta, AgentEvent } from '../../contract/wire/sandbox.ts'
import type { Gateway, GatewayOptions } from '../gateway/gateway.ts'
import type { CoordinatorClient } from '../lease/coordinator-client.ts'
import type { Holding } from '../lease/holding.ts'
import { presentable, readAgentLine } from '../output/agent-lines.ts'
import { allowance } from '../output/allowance.ts'
import { cleanText } from '../output/clean.ts'
import { type Redactor, redactor } from '../output/redact.ts'
import { within } from '../process/deadline.ts'
import type { Delivery } from '../river/delivery.ts'
import type { Publisher } from '../river/publisher.ts'
import type { Spool } from '../river/spool.ts'
import { EngineFault, type Sandbox, type SandboxEnd, type SandboxEngine } from '../sandbox/sandbox.ts'
import type { HostFault } from './attempt-end.ts'
import type { KeptWork } from './kept-work.ts'
import type { Mailbox } from './mailbox.ts'
import type { Nesting } from './nesting.ts'
import type { StopSwitch } from './stop-switch.ts'

export type SandboxParts = {
  engine: SandboxEngine
  openGateway: (options: GatewayOptions) => Promise<Gateway>
  client: Pick<CoordinatorClient, 'saveArtifact' | 'openTranscript'>
  holding: Pick<Holding, 'confirm' | 'awaitLease'>
  keptWork: Pick<KeptWork, 'keep'>
  publisher: Pick<Publisher, 'delta'>
  doorsDirectory: string
  coordinatorUrl: string
  npmRegistryUrl: string
  allowedHosts: readonly string[]
  /** The runner's own secrets, kept out of everything that is said. */
  secrets: readonly string[]
}

/** One attempt under way. */
export type Attempt = {
  parts: SandboxParts
  lease: Lease
  spool: Spool
  delivery: Delivery
  mailbox: Mailbox
  tree: Nesting
  stop: StopSwitch
  log: Logger
}

/** What the events of one attempt may take on the runner's disk. */
const SPOOL_BYTES = 256 * 1024 * 1024
/** Lines that tell nothing: an honest sandbox has a few, and each costs the engine and us the same as one that does. */
const NOISE_LINES = LIMITS.eventsPerAttempt
/** Faster than any model writes. */
const DELTAS_PER_SECOND = 500
/** How long the last output may wait for a slow disk. */
const TRAILING_MS = 30_000
/** Closing the door cuts every call; what does not heed that is left behind. */
const CLOSE_MS = 30_000

/** Opens the door, runs the sandbox behind it, and takes both away again. Everything that they had to say is said when it returns. */
export async function runSandbox(attempt: Attempt): Promise<{ sandbox: SandboxEnd | null; fault: HostFault | null }> {
  try {
    return { sandbox: await behindDoor(attempt), fault: null }
  } catch (error) {
    attempt.log.error({ event: 'attempt.fault', err: error })
    return { sandbox: null, fault: hostFault(error) }
  }
}

async function behindDoor(attempt: Attempt): Promise<SandboxEnd | null> {
  const { parts, lease, log, stop } = attempt
  const directory = join(parts.doorsDirectory, randomBytes(6).toString('hex'))
  const known = secretsOf(lease, parts.secrets)
  // Open to the sandbox's user; the directory above is closed to everybody else on the host.
  await mkdir(directory, { mode: 0o755 })
  try {
    const gateway = await parts.openGateway(gatewayOptions(attempt, directory, redactor(known)))
    try {
      if (stop.cause()) return null
      const { taskId, attempt: number } = lease
      const sandbox = await parts.engine.start({ taskId, attempt: number, doorDirectory: directory, token: gateway.token })
      try {
        return await follow(attempt, sandbox, redactor([...known, gateway.token]))
      } finally {
        await tried(log, 'sandbox.remove_failed', sandbox.remove)
      }
    } finally {
      await tried(log, 'gateway.close_failed', () => within(CLOSE_MS, gateway.close, leaveBehind))
    }
  } finally {
    await tried(log, 'door.remove_failed', () => rm(directory, { recursive: true, force: true }))
  }
}

/** Reads what the sandbox says until it ends, and ends it when there is a cause to. */
async function follow(attempt: Attempt, sandbox: Sandbox, redact: Redactor): Promise<SandboxEnd> {
  const { stop, log } = attempt
  const unbind = stop.whenStopped((graceMs) => {
    sandbox.stop(graceMs).catch((error) => log.error({ event: 'sandbox.stop_failed', err: error }))
  })
  const listening = listen(attempt, sandbox, redact)
  try {
    const end = await sandbox.wait()
    const errorTail = redact.text(cleanText(end.errorTail))
    if (end.exitCode !== 0) log.warn({ event: 'sandbox.ended', ...end, errorTail })
    return { ...end, errorTail }
  } finally {
    unbind()
    await within(TRAILING_MS, () => listening, leaveBehind)
  }
}

async function listen(attempt: Attempt, { lines }: Sandbox, redact: Redactor): Promise<void> {
  const { delivery, stop, log } = attempt
  const mayShow = allowance(DELTAS_PER_SECOND)
  let noise = 0
  try {
    for await (const line of lines) {
      const said = stop.flooded() ? null : readAgentLine(line, redact)
      const told = said !== null && (said.type === 'delta' ? mayShow() && show(attempt, said) : hear(attempt, said))
      if (!told) noise += 1
      if (noise >= NOISE_LINES) stop.because('flooded')
      await delivery.ready()
    }
  } catch (error) {
    // How the sandbox ended tells whether this was the engine's fault.
    log.warn({ event: 'sandbox.output_lost', err: error })
  }
  if (noise > 0) log.warn({ event: 'sandbox.noise', lines: noise })
}

function show({ parts, spool }: Attempt, { offset, text }: AgentDelta): true {
  parts.publisher.delta(spool.header, { offset, text })
  return true
}

/** What the agent said first-hand: a message counts as delivered only if it was here to be taken, and of this turn. */
function hear(attempt: Attempt, said: AgentEvent): boolean {
  if (said.type !== 'message.delivered') return say(attempt, said)
  if (!attempt.mailbox.take(said.data.messageId)) return false
  return say(attempt, { ...said, data: { ...said.data, turn: attempt.lease.turn } })
}

/**
 * Says what fits into the tree, and stops a sandbox that says more than an attempt may: then only what a call cost that was under way is
 * still said.
 * @returns whether anything fitted
 */
function say({ tree, delivery, spool, stop }: Attempt, event: NewEvent): boolean {
  if (stop.flooded() && event.type !== 'usage.counted') return false
  const fitting = tree.admit(event, stop.cause())
  for (const one of fitting) delivery.say(one)
  if (delivery.said() >= LIMITS.eventsPerAttempt || spool.bytes() >= SPOOL_BYTES) stop.because('flooded')
  return fitting.length > 0
}

function gatewayOptions(attempt: Attempt, directory: string, redact: Redactor): GatewayOptions {
  const { parts, lease, stop, log } = attempt
  const { taskId, turn, prompt, messageId, hasTranscript, baseBranch, branch, model, budgetUsd, timeLimitMs } = lease
  const task = { taskId, attempt: lease.attempt, turn, prompt, messageId, hasTranscript, repoUrl: lease.repo.url }
  return {
    lease,
    assignment: { ...task, baseBranch, branch, model, budgetUsd, timeLimitMs },
    directory,
    coordinatorUrl: parts.coordinatorUrl,
    npmRegistryUrl: parts.npmRegistryUrl,
    allowedHosts: parts.allowedHosts,
    confirmLease: (gone) => stop.whileAway(gone, (patience) => parts.holding.confirm(taskId, lease.attempt, patience)),
    awaitLease: (gone, atMostMs) =>
      stop.whileAway(gone, (patience) => parts.holding.awaitLease(taskId, lease.attempt, patience, atMostMs)),
    keepWork: () => (stop.cause() ? (bundle) => parts.keptWork.keep(taskId, lease.attempt, bundle) : null),
    say: (event) => say(attempt, presentable(event, redact)),
    saveArtifact: (kind, body) => parts.client.saveArtifact(taskId, lease.attempt, kind, body),
    waitingMessages: attempt.mailbox.waiting,
    openTranscript: async () => (hasTranscript ? parts.client.openTranscript(taskId, lease.attempt) : null),
    log,
  }
}

function secretsOf({ modelApi, repo, signingKey }: Lease, ours: readonly string[]): (string | null)[] {
  return [modelApi.key, repo.token, signingKey, ...ours]
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
