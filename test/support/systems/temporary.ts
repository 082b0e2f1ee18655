import { createHash } from 'node:crypto'
import { lstat, mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A folder of the test's own, with a path short enough for a unix socket in it. */
export async function temporaryFolder(): Promise<{ path: string; remove: () => Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), 'errand-'))
  return { path, remove: () => rm(path, { recursive: true, force: true }) }
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
