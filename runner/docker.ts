import type { Duplex, Transform } from 'node:stream'
import Docker from 'dockerode'
import { LABELS } from '../contract/names.ts'
import { type ContainerSettings, containerSpec } from './container-spec.ts'
import { standardOutput } from './engine-output.ts'
import { splitLines } from './lines.ts'
import { EngineFault, type Sandbox, type SandboxEngine, type SandboxSpec } from './sandbox.ts'
import { tailOf } from './tail.ts'

/** How long the engine may take over one call; a busy disk makes it slow. Without a bound, one that hangs would hold an attempt for ever. */
const CALL_MS = 60_000

/** Sandboxes as containers of a Docker engine (API 1.41 and later). */
export const dockerEngine = (options: { dockerHost: string; callMs?: number } & ContainerSettings): SandboxEngine => {
  const { image, runnerId, callMs = CALL_MS } = options
  const docker = new Docker(connection(options.dockerHost))
  const inTime = () => ({ abortSignal: AbortSignal.timeout(callMs) })
  return {
    check: () => orFault(async () => void (await within(callMs, docker.getImage(image).inspect())), image),
    start: (spec) => orFault(() => startContainer(docker, spec, options, callMs), image),
    removeLeftovers: (isUnderWay) =>
      orFault(async () => {
        const filters = { label: [`${LABELS.runner}=${runnerId}`] }
        const left = await docker.listContainers({ all: true, filters, ...inTime() })
        const over = left.filter(({ Labels }) => !isUnderWay(Labels[LABELS.task] ?? '', Number(Labels[LABELS.attempt])))
        for (const { Id } of over) await removeContainer(docker.getContainer(Id), callMs)
        return over.length
      }, image),
  }
}

const startContainer = async (
  docker: Docker,
  spec: SandboxSpec,
  settings: ContainerSettings,
  callMs: number,
): Promise<Sandbox> => {
  const inTime = () => ({ abortSignal: AbortSignal.timeout(callMs) })
  const container = await docker.createContainer({ ...containerSpec(spec, settings), ...inTime() })
  try {
    // Attached before it starts, so that not a byte is missed.
    const output = await attach(container, callMs)
    const tail = tailOf()
    const stdout = standardOutput(tail.push)
    follow(output, stdout)
    await container.start(inTime())
    return sandboxOn({ container, output, callMs }, splitLines(stdout), tail.text)
  } catch (error) {
    // Why it did not start is what counts. A container that stays is no attempt's, and swept up.
    await removeContainer(container, callMs).catch(() => undefined)
    throw error
  }
}

/** For the one call that takes no signal. */
const within = async <T>(ms: number, answer: Promise<T>): Promise<T> => {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new DOMException('no answer', 'TimeoutError')), ms)
  })
  try {
    return await Promise.race([answer, late])
  } finally {
    clearTimeout(timer)
  }
}

/** The bound is on the call, and must not outlive it: the signal would cut the stream. */
const attach = async (container: Docker.Container, callMs: number): Promise<Duplex> => {
  const late = new AbortController()
  const timer = setTimeout(() => late.abort(), callMs)
  try {
    return (await container.attach({ stream: true, stdout: true, stderr: true, abortSignal: late.signal })) as Duplex
  } finally {
    clearTimeout(timer)
  }
}

type Running = { container: Docker.Container; output: Duplex; callMs: number }

const sandboxOn = (
  { container, output, callMs }: Running,
  lines: AsyncIterable<string | null>,
  errorTail: () => string,
): Sandbox => {
  const overdue = new AbortController()
  let timer: NodeJS.Timeout | undefined
  const inTime = (ms = callMs) => ({ abortSignal: AbortSignal.timeout(ms) })
  return {
    lines,
    wait: () =>
      orFault(async () => {
        try {
          const { StatusCode } = (await container.wait({ abortSignal: overdue.signal })) as { StatusCode: number }
          const { State } = await container.inspect(inTime())
          return { exitCode: StatusCode, outOfMemory: State.OOMKilled, errorTail: errorTail() }
        } finally {
          clearTimeout(timer)
        }
      }),
    stop: (graceMs) => {
      clearTimeout(timer)
      timer = setTimeout(() => overdue.abort(), graceMs + callMs)
      const t = Math.ceil(graceMs / 1000)
      return orFault(() =>
        unlessGone(() => (graceMs > 0 ? container.stop({ t, ...inTime(graceMs + callMs) }) : container.kill(inTime()))),
      )
    },
    remove: () =>
      orFault(() => removeContainer(container, callMs)).finally(() => {
        // Whatever the engine did: nothing that it may still say is this attempt's.
        clearTimeout(timer)
        output.destroy()
      }),
  }
}

const removeContainer = (container: Docker.Container, callMs: number): Promise<void> =>
  unlessGone(() => container.remove({ force: true, v: true, abortSignal: AbortSignal.timeout(callMs) }))

/** Stopped already (304), gone already (404), being removed or not running (409): what was wanted. */
const unlessGone = async (work: () => Promise<unknown>): Promise<void> => {
  try {
    await work()
  } catch (error) {
    if (![304, 404, 409].includes(statusOf(error) ?? 0)) throw error
  }
}

/** Not `pipeline`: output that is cut off ends, and was all there is. */
const follow = (source: Duplex, sink: Transform): void => {
  source.pipe(sink)
  source.on('close', () => sink.end())
  source.on('error', (error) => sink.destroy(error))
  sink.on('error', () => source.destroy())
}

const orFault = async <T>(work: () => Promise<T>, image = 'of the sandbox'): Promise<T> => {
  try {
    return await work()
  } catch (error) {
    throw engineFault(error, image)
  }
}

const engineFault = (error: unknown, image: string): EngineFault => {
  const text = error instanceof Error ? error.message : String(error)
  if (/no space left|ENOSPC/i.test(text)) return new EngineFault('host_disk_full', text, error)
  if (statusOf(error) === 404 && /no such image/i.test(text))
    return new EngineFault('image_missing', `The image ${image} is not on this host.`, error)
  if (['AbortError', 'TimeoutError'].includes((error as { name?: string } | null)?.name ?? ''))
    return new EngineFault('engine_unavailable', 'The Docker engine takes its calls and does not answer them.', error)
  return new EngineFault('engine_unavailable', `The Docker engine could not do it: ${text}`, error)
}

const statusOf = (error: unknown): number | undefined => (error as { statusCode?: number } | null)?.statusCode

const connection = (dockerHost: string): Docker.DockerOptions => {
  if (!dockerHost.startsWith('tcp://')) return { socketPath: dockerHost.replace(/^unix:\/\//, '') }
  const { hostname, port } = new URL(dockerHost)
  return { protocol: 'http', host: hostname, port: port || '2375' }
}
