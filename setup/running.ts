import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { chmod, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'

/** `server.json` in the data folder: where the running server is, for the command line tool and for the next start. */
const ServerFile = z.object({
  url: z.string(),
  /** The local owner's. */
  token: z.string(),
  pids: z.record(z.string(), z.number().int().positive()),
})
export type ServerFile = z.infer<typeof ServerFile>

/** What each pid's command line must hold, lest a number that the system gave out anew is taken for ours. */
const MARKS: Readonly<Record<string, string>> = {
  start: 'setup/start',
  coordinator: 'coordinator/main.ts',
  runner: 'runner/main.ts',
}

export const serverFilePath = (dataDir: string): string => join(dataDir, 'server.json')

export const writeServerFile = async (dataDir: string, content: ServerFile): Promise<void> => {
  const path = serverFilePath(dataDir)
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  await writeFile(path, `${JSON.stringify(content, null, 2)}\n`, { mode: 0o600 })
  await chmod(path, 0o600)
}

export const removeServerFile = (dataDir: string): Promise<void> => rm(serverFilePath(dataDir), { force: true })

export const readServerFile = async (dataDir: string): Promise<ServerFile | null> => {
  const text = await readFile(serverFilePath(dataDir), 'utf8').catch(() => null)
  if (text === null) return null
  try {
    return ServerFile.parse(JSON.parse(text))
  } catch {
    return null
  }
}

/** @returns the names of the processes in `server.json` that still run */
export const alive = (file: ServerFile, lineOf: (pid: number) => string = commandLine): string[] =>
  Object.entries(file.pids)
    .filter(([name, pid]) => MARKS[name] !== undefined && lineOf(pid).includes(MARKS[name] ?? ''))
    .map(([name]) => name)

/** Ends what a killed `npm start` left behind. SIGTERM: the runner lets its agents save their work first. */
export const stopLeftOvers = async (file: ServerFile, timeoutMs: number): Promise<void> => {
  const deadline = performance.now() + timeoutMs
  for (const name of alive(file)) {
    const pid = file.pids[name]
    if (pid) process.kill(pid, 'SIGTERM')
  }
  while (alive(file).length > 0) {
    if (performance.now() > deadline)
      throw new Error(
        `An earlier start's ${alive(file).join(' and ')} does not end. Type: kill -9 ${Object.values(file.pids).join(' ')}`,
      )
    await sleep(100)
  }
}

/** @returns the command line of a process, '' when there is none (or it is a zombie) */
export const commandLine = (pid: number): string => {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')
  } catch {
    if (process.platform === 'linux') return ''
    return spawnSync('ps', ['-p', String(pid), '-o', 'args='], { encoding: 'utf8' }).stdout ?? ''
  }
}
