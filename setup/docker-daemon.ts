import { spawn } from 'node:child_process'
import { mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { commandLine } from './running.ts'

/** A Docker engine started by hand, on a machine without an init system. Its pid is kept beside its log: only that one is ever stopped. */

const START_MS = 60_000
const STOP_MS = 30_000

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

export const stopDaemon = async (logFile: string): Promise<void> => {
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
