import { spawn } from 'node:child_process'
import { mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { claim, holders } from './claims.ts'
import { commandLine } from './running.ts'

/**
 * A Docker engine started by hand, on a machine without an init system. Its pid is kept beside its log: only that one is ever stopped, and
 * only by the last process of ours that uses it, whoever started it: a test run must not take a server's engine away.
 */

/** The machine's and no data folder's, as the engine is. */
export const ENGINE_FOLDER = '/run/errand'

const START_MS = 60_000
const STOP_MS = 30_000

export const logFileIn = (folder: string): string => join(folder, 'dockerd.log')

/**
 * Counts this process among the engine's users. Waits for an engine that is being stopped right now: it may still answer.
 * @returns what leaves it, and stops the engine that was started by hand when nobody else uses it
 */
export const useDaemon = async (folder: string): Promise<() => Promise<void>> => {
  const stopping = join(folder, 'dockerd.stopping')
  const use = claim(join(folder, 'dockerd.users'))
  while (holders(stopping).length > 0) await sleep(100)
  return async () => {
    use.release()
    // Said before looking around, so that who comes now either is seen or waits.
    const stop = claim(stopping)
    if (use.others().length === 0) await stopDaemon(logFileIn(folder))
    stop.release()
  }
}

/**
 * @param isUp whether it answers
 * @throws Error with the end of its log when it does not come up
 */
export const startDaemon = async (
  dockerd: string,
  logFile: string,
  isUp: () => boolean,
  args: readonly string[] = [],
): Promise<void> => {
  mkdirSync(dirname(logFile), { recursive: true, mode: 0o700 })
  const log = openSync(logFile, 'w', 0o600)
  const child = spawn(dockerd, args, { stdio: ['ignore', log, log], detached: true })
  let ended = false
  child.once('exit', () => {
    ended = true
  })
  child.once('error', () => {
    ended = true
  })
  child.unref()
  if (child.pid) writeFileSync(pidFile(logFile), String(child.pid), { mode: 0o600 })
  const deadline = performance.now() + START_MS
  while (!isUp()) {
    if (ended || performance.now() > deadline)
      throw new Error(`The Docker engine did not start. The end of ${logFile}:\n${lastLines(logFile)}`)
    await sleep(200)
  }
}

const stopDaemon = async (logFile: string): Promise<void> => {
  const pid = keptDaemon(logFile)
  if (pid === null) return
  process.kill(pid, 'SIGTERM')
  const deadline = performance.now() + STOP_MS
  while (keptDaemon(logFile) !== null && performance.now() < deadline) await sleep(100)
  rmSync(pidFile(logFile), { force: true })
}

/** @returns the pid of the engine that this setup started, if it still runs */
export const keptDaemon = (logFile: string): number | null => {
  let text = ''
  try {
    text = readFileSync(pidFile(logFile), 'utf8')
  } catch {
    return null
  }
  const pid = Number(text)
  return Number.isInteger(pid) && pid > 1 && commandLine(pid).includes('dockerd') ? pid : null
}

const pidFile = (logFile: string): string => logFile.replace(/\.log$/, '.pid')

const lastLines = (file: string): string => readFileSync(file, 'utf8').trim().split('\n').slice(-5).join('\n')
