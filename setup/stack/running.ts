import { chmod, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import * as z from 'zod'

/** `server.json` in the data folder tells the command line tool and the next start where the running server is. */
const ServerFile = z.object({
  url: z.string(),
  /** The local owner's token. */
  token: z.string(),
  pids: z.record(z.string(), z.number().int().positive()),
})
export type ServerFile = z.infer<typeof ServerFile>

export function serverFilePath(dataDir: string): string {
  return join(dataDir, 'server.json')
}

export async function writeServerFile(dataDir: string, content: ServerFile): Promise<void> {
  const path = serverFilePath(dataDir)
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  await writeFile(path, `${JSON.stringify(content, null, 2)}\n`, { mode: 0o600 })
  await chmod(path, 0o600)
}

export function removeServerFile(dataDir: string): Promise<void> {
  return rm(serverFilePath(dataDir), { force: true })
}

export async function readServerFile(dataDir: string): Promise<ServerFile | null> {
  const text = await readFile(serverFilePath(dataDir), 'utf8').catch(() => null)
  if (text === null) return null
  try {
    return ServerFile.parse(JSON.parse(text))
  } catch {
    return null
  }
}
