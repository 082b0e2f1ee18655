import { PassThrough } from 'node:stream'
import Docker from 'dockerode'
import { LABELS } from '../contract/names.ts'
import { type ContainerSettings, containerSpec } from './container-spec.ts'
import { splitLines } from './lines.ts'
import { EngineFault, type Sandbox, type SandboxEngine, type SandboxSpec } from './sandbox.ts'
import { tailOf } from './tail.ts'

/** Sandboxes as containers of a Docker engine (API 1.41 and later). */
export const dockerEngine = (options: { dockerHost: string } & ContainerSettings): SandboxEngine => {
  const docker = new Docker(connection(options.dockerHost))
  return {
    check: () => orFault(async () => void (await docker.getImage(options.image).inspect()), options.image),
    start: (spec) => orFault(() => startContainer(docker, spec, options), options.image),
    removeLeftovers: () =>
      orFault(async () => {
        const filters = { label: [`${LABELS.runner}=${options.runnerId}`] }
        const left = await docker.listContainers({ all: true, filters })
        for (const { Id } of left) await removeContainer(docker.getContainer(Id))
        return left.length
      }, options.image),
  }
}

const startContainer = async (docker: Docker, spec: SandboxSpec, settings: ContainerSettings): Promise<Sandbox> => {
  const container = await docker.createContainer(containerSpec(spec, settings))
  try {
    // Attached before it starts, so that not a byte is missed.
    const output = await container.attach({ stream: true, stdout: true, stderr: true })
    const stdout = new PassThrough()
    const tail = tailOf()
    docker.modem.demuxStream(output, stdout, { write: tail.push } as unknown as NodeJS.WritableStream)
    pauseWhileFull(output, stdout)
    await container.start()
    return sandboxOn(container, splitLines(stdout), tail.text)
  } catch (error) {
    await removeContainer(container)
    throw error
  }
}

const sandboxOn = (container: Docker.Container, lines: AsyncIterable<string | null>, errorTail: () => string): Sandbox => ({
  lines,
  wait: () =>
    orFault(async () => {
      const { StatusCode } = (await container.wait()) as { StatusCode: number }
      const { State } = await container.inspect()
      return { exitCode: StatusCode, outOfMemory: State.OOMKilled, errorTail: errorTail() }
    }),
  stop: (graceMs) =>
    orFault(() => unlessGone(() => (graceMs > 0 ? container.stop({ t: Math.ceil(graceMs / 1000) }) : container.kill()))),
  remove: () => orFault(() => removeContainer(container)),
})

const removeContainer = (container: Docker.Container): Promise<void> =>
  unlessGone(() => container.remove({ force: true, v: true }))

/** Stopped already (304), gone already (404), being removed or not running (409): what was wanted. */
const unlessGone = async (work: () => Promise<unknown>): Promise<void> => {
  try {
    await work()
  } catch (error) {
    if (![304, 404, 409].includes(statusOf(error) ?? 0)) throw error
  }
}

/** `demuxStream` writes without looking; a sandbox that says more than is read would fill our memory. */
const pauseWhileFull = (source: NodeJS.ReadWriteStream, sink: PassThrough): void => {
  source.on('data', () => {
    if (sink.writableNeedDrain) source.pause()
  })
  sink.on('drain', () => source.resume())
  source.on('end', () => sink.end())
  source.on('close', () => sink.end())
  source.on('error', (error) => sink.destroy(error))
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
  return new EngineFault('engine_unavailable', `The Docker engine could not do it: ${text}`, error)
}

const statusOf = (error: unknown): number | undefined => (error as { statusCode?: number } | null)?.statusCode

const connection = (dockerHost: string): Docker.DockerOptions => {
  if (!dockerHost.startsWith('tcp://')) return { socketPath: dockerHost.replace(/^unix:\/\//, '') }
  const { hostname, port } = new URL(dockerHost)
  return { protocol: 'http', host: hostname, port: port || '2375' }
}
