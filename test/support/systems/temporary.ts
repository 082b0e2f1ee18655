import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { lstat, mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'

export type TemporaryFolder = { path: string; remove: () => Promise<void> }

/** A folder of the test's own, with a path short enough for a unix socket in it. */
export async function temporaryFolder(): Promise<TemporaryFolder> {
  const path = await mkdtemp(join(tmpdir(), 'errand-'))
  return { path, remove: () => rm(path, { recursive: true, force: true }) }
}

/** A real file system of its own, so small that it can be filled. Needs root. */
export async function smallDisk(megabytes: number): Promise<TemporaryFolder> {
  const folder = await temporaryFolder()
  await execa('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m,mode=700`, 'errand-test', folder.path])
  return {
    path: folder.path,
    remove: async () => {
      await execa('umount', ['--lazy', folder.path])
      await folder.remove()
    },
  }
}

/** @returns a TCP port of 127.0.0.1 that was free a moment ago */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => (typeof address === 'object' && address ? resolve(address.port) : reject(new Error('no port'))))
    })
  })
}

/** @returns every file below a folder with its mode and a hash of its bytes, to be compared: whether anything was changed */
export async function contentsOf(folder: string): Promise<Record<string, string>> {
  const found: Record<string, string> = {}
  for (const name of (await readdir(folder, { recursive: true })).sort()) {
    const path = join(folder, name)
    const about = await lstat(path)
    const hash = about.isFile()
      ? createHash('sha256')
          .update(await readFile(path))
          .digest('hex')
      : 'no file'
    found[name] = `${(about.mode & 0o777).toString(8)} ${hash}`
  }
  return found
}

/** The sandbox's own image, as `npm test` built it from this very tree; tests run other programs in it. */
const BASE = process.env.RUNNER_IMAGE ?? 'errand-worker:latest'

/** The sandbox's image with another program as its agent, and JavaScript as its hands. */
export async function imageThatRuns(
  program: readonly string[],
  hands = '',
): Promise<{ name: string; remove: () => Promise<void> }> {
  const name = `errand-test-${randomBytes(6).toString('hex')}`
  const file = Buffer.from(hands).toString('base64')
  const dockerfile = `FROM ${BASE}
USER root
RUN echo '${file}' | base64 -d > /opt/errand/agent.mjs
ENTRYPOINT ${JSON.stringify(program)}
`
  await execa('docker', ['build', '--quiet', '--tag', name, '-'], { input: dockerfile })
  return { name, remove: async () => void (await execa('docker', ['image', 'rm', '--force', name])) }
}

/** Has a server, of HTTP or of anything else, listen on a free port of 127.0.0.1. `close` ends it with all of its connections. */
export async function listen(server: Server): Promise<{ port: number; url: string; close: () => Promise<void> }> {
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const { port } = server.address() as AddressInfo
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    close: async () => {
      if (!server.listening) return
      const closed = once(server, 'close')
      server.close()
      for (const socket of sockets) socket.destroy()
      await closed
    },
  }
}
