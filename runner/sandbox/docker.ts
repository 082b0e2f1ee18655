import type { Readable } from 'node:stream'
import Docker from 'dockerode'
import type { Logger } from 'pino'
import { DOOR, LABELS } from '../../contract/wire/names.ts'
import { within } from '../process/deadline.ts'
import { type ContainerSettings, containerSpec, handsSpec } from './container-spec.ts'
import { type Container, followContainer } from './follow-container.ts'
import { EngineFault, type FoundSandbox, type Sandbox, type SandboxEngine, type SandboxSpec } from './sandbox.ts'

/** How long one call to the engine may take; a busy disk makes it slow. Without a bound, an engine that hangs would block an attempt for ever. */
const CALL_MS = 60_000

type Options = ContainerSettings & { dockerHost: string; log: Logger; callMs?: number }

/** Sandboxes as containers of a Docker engine (API 1.41 and later). */
export function createDockerEngine(options: Options): SandboxEngine {
  const { image, runnerId, callMs = CALL_MS } = options
  const docker = new Docker(connection(options.dockerHost))
  return {
    check: () => orFault(async () => void (await inTime(callMs, () => docker.getImage(image).inspect())), image),
    start: (spec) => orFault(() => startContainer(docker, spec, options), image),
    find: () =>
      orFault(async () => {
        const ours = await listOurs(docker, runnerId, callMs)
        const found = await Promise.all(ours.map(({ Id }) => findContainer(docker.getContainer(Id), options)))
        return found.filter((one) => one !== null)
      }, image),
    removeLeftovers: (isRunning) =>
      orFault(async () => {
        const ours = await listOurs(docker, runnerId, callMs)
        const leftovers = ours.filter(({ Labels }) => !isRunning(Labels[LABELS.task] ?? '', Number(Labels[LABELS.attempt])))
        // A container that the engine cannot remove must not keep the others alive.
        const removed = await Promise.allSettled(leftovers.map(({ Id }) => removeContainer(docker.getContainer(Id), callMs)))
        for (const one of removed) if (one.status === 'rejected') throw one.reason
        return leftovers.length
      }, image),
  }
}

function listOurs(docker: Docker, runnerId: string, callMs: number) {
  const filters = { label: [`${LABELS.runner}=${runnerId}`] }
  return inTime(callMs, (abortSignal) => docker.listContainers({ all: true, filters, abortSignal }))
}

/** @returns null when it is gone, or bears no sign of an attempt */
async function findContainer(container: Docker.Container, options: Options): Promise<FoundSandbox | null> {
  const { callMs = CALL_MS } = options
  const facts = await inTime(callMs, (abortSignal) => container.inspect({ abortSignal })).catch(unless(404))
  if (!facts) return null
  const { Labels, Env } = facts.Config
  const tokenIs = `${DOOR.tokenVariable}=`
  const token = Env.find((line) => line.startsWith(tokenIs))?.slice(tokenIs.length)
  const doorDirectory = facts.Mounts.find(({ Destination }) => Destination === DOOR.directory)?.Source
  const [taskId, attempt] = [Labels[LABELS.task], Number(Labels[LABELS.attempt])]
  if (!taskId || !Number.isInteger(attempt) || !token || !doorDirectory) return null
  return {
    taskId,
    attempt,
    token,
    doorDirectory,
    wasStarted: facts.State.Status !== 'created',
    follow: () => sandboxOn(container, null, { taskId, attempt }, options),
    remove: () => orFault(() => removeContainer(container, callMs)),
  }
}

function sandboxOn(
  container: Docker.Container,
  attached: Readable | null,
  about: { taskId: string; attempt: number },
  { log, callMs = CALL_MS }: Options,
): Sandbox {
  const followed = followContainer(calls(container, callMs), attached, { overdueMs: callMs, log: log.child(about) })
  return { ...followed, startHands: () => orFault(() => execHands(container, callMs)) }
}

async function startContainer(docker: Docker, spec: SandboxSpec, options: Options): Promise<Sandbox> {
  const { log, callMs = CALL_MS, ...settings } = options
  const container = await inTime(callMs, (abortSignal) =>
    docker.createContainer({ ...containerSpec(spec, settings), abortSignal }),
  )
  try {
    // Attach before it starts, so that no byte is missed.
    const output = await inTime(callMs, (abortSignal) => container.attach({ ...BOTH, stream: true, abortSignal }))
    await inTime(callMs, (abortSignal) => container.start({ abortSignal }))
    const { taskId, attempt } = spec
    const sandbox = sandboxOn(container, output as NodeJS.ReadableStream as Readable, { taskId, attempt }, options)
    // They start beside the agent, which asks for them again if they do not come.
    sandbox.startHands().catch((error) => log.warn({ event: 'sandbox.hands_failed', taskId, attempt, err: error }))
    return sandbox
  } catch (error) {
    // The error of the start matters more. A container that stays behind is removed later.
    await removeContainer(container, callMs).catch(() => undefined)
    throw error
  }
}

async function execHands(container: Docker.Container, callMs: number): Promise<void> {
  const exec = await inTime(callMs, (abortSignal) => container.exec({ ...handsSpec(), abortSignal }))
  // The engine has started them when the head of its answer is there. The answer stays open until it is let go.
  const answer = await inTime(callMs, (abortSignal) => exec.start({ Detach: true, abortSignal }))
  answer.destroy()
}

function calls(container: Docker.Container, callMs: number): Container {
  return {
    look: () =>
      orFault(async () => {
        const found = await inTime(callMs, (abortSignal) => container.inspect({ abortSignal })).catch(unless(404))
        if (!found) return null
        const { Running, ExitCode, OOMKilled } = found.State
        return { running: Running, exitCode: ExitCode, outOfMemory: OOMKilled }
      }),
    readLog: () =>
      orFault(async () => {
        const open = (abortSignal: AbortSignal) => container.logs({ ...BOTH, follow: true, abortSignal })
        return (await inTime(callMs, open)) as Readable
      }),
    stop: (graceMs) =>
      orFault(async () => {
        const stop = (abortSignal: AbortSignal) =>
          graceMs > 0 ? container.stop({ t: Math.ceil(graceMs / 1000), abortSignal }) : container.kill({ abortSignal })
        await inTime(graceMs + callMs, stop).catch(unless(...GONE))
      }),
    remove: () => orFault(() => removeContainer(container, callMs)),
  }
}

const BOTH = { stdout: true, stderr: true }

async function removeContainer(container: Docker.Container, callMs: number): Promise<void> {
  const remove = (abortSignal: AbortSignal) => container.remove({ force: true, v: true, abortSignal })
  await inTime(callMs, remove).catch(unless(...GONE))
}

/** Stopped already, gone already, being removed, or not running: the wanted result. */
const GONE = [304, 404, 409]

function unless(...statuses: number[]) {
  return (error: unknown): undefined => {
    if (!statuses.includes(statusOf(error) ?? 0)) throw error
  }
}

/**
 * Trap: a call whose connection is cut in the middle of the answer never settles, not even by its signal. And a signal that outlives its call
 * would cut the stream that the call opened.
 */
function inTime<T>(ms: number, call: (late: AbortSignal) => Promise<T>): Promise<T> {
  return within(ms, call, () => {
    throw new DOMException('no answer', 'TimeoutError')
  })
}

async function orFault<T>(work: () => Promise<T>, image = 'of the sandbox'): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw engineFault(error, image)
  }
}

function engineFault(error: unknown, image: string): EngineFault {
  const text = error instanceof Error ? error.message : String(error)
  if (/no space left|ENOSPC/i.test(text)) return new EngineFault('host_disk_full', text, error)
  if (statusOf(error) === 404 && /no such image/i.test(text))
    return new EngineFault('image_missing', `The image ${image} is not on this host.`, error)
  if (['AbortError', 'TimeoutError'].includes((error as { name?: string } | null)?.name ?? ''))
    return new EngineFault('engine_unavailable', 'The Docker engine accepts calls but does not answer them.', error)
  return new EngineFault('engine_unavailable', `The Docker engine failed: ${text}`, error)
}

function statusOf(error: unknown): number | undefined {
  return (error as { statusCode?: number } | null)?.statusCode
}

function connection(dockerHost: string): Docker.DockerOptions {
  if (!dockerHost.startsWith('tcp://')) return { socketPath: dockerHost.replace(/^unix:\/\//, '') }
  const { hostname, port } = new URL(dockerHost)
  return { protocol: 'http', host: hostname, port: port || '2375' }
}
