import { spawn } from 'node:child_process'
import { closeSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { claim, holders } from '../process/claims.ts'
import { allPids, argumentsOf, identityOf, variablesOf } from '../process/process-table.ts'

/**
 * A Docker engine that Errand starts itself, on a machine without an init system. Its pid is stored next to its log. Only that engine is ever
 * stopped, and only by the last of our processes that uses it, whoever started it: a test run must not take away a server's engine. A set-up
 * registers as a user itself, because it may not have a runner yet. Runners are found in the process table, because they may run without a set-up.
 */

/** Belongs to the machine, like the engine, and not to a data folder. */
export const ENGINE_FOLDER = '/run/errand'
/** The default socket of an engine, which a runner uses if DOCKER_HOST is not set. */
const ENGINE_SOCKET = '/var/run/docker.sock'

const START_MS = 60_000
const STOP_MS = 30_000

export function logFileIn(folder: string): string {
  return join(folder, 'dockerd.log')
}

/**
 * Registers this process as a user of the engine. Waits while an engine is being stopped, because it may still answer.
 * @returns a function that releases the engine, and stops it if Errand started it and nobody else uses it
 */
export async function useDaemon(folder: string, socket = ENGINE_SOCKET): Promise<() => Promise<void>> {
  const stopping = join(folder, 'dockerd.stopping')
  const use = claim(join(folder, 'dockerd.users'))
  while (holders(stopping).length > 0) await sleep(100)
  return async () => {
    use.release()
    // Claimed before looking around, so that a newcomer either is seen or waits.
    const stop = claim(stopping)
    const users = [...use.others(), ...runnersOn(socket)]
    if (users.length === 0) await stopDaemon(logFileIn(folder))
    else if (keptDaemon(logFileIn(folder))) console.log(`The Docker engine keeps running: pid ${users.join(', ')} uses it.`)
    stop.release()
  }
}

/** @returns the pids of all runners that use the engine at `socket`, including those in containers */
function runnersOn(socket: string): number[] {
  return allPids().filter((pid) => {
    const [program = '', ...words] = argumentsOf(pid)
    if (!basename(program).startsWith('node') || !words.some((word) => /(^|\/)runner\/main\.ts$/.test(word))) return false
    const host = variablesOf(pid)
      .find((variable) => variable.startsWith('DOCKER_HOST='))
      ?.slice('DOCKER_HOST='.length)
    return placeOf(host || ENGINE_SOCKET) === placeOf(socket)
  })
}

/** /var/run is a link to /run. */
function placeOf(host: string): string {
  return host.replace(/^unix:\/\//, '').replace(/^\/var\/run\//, '/run/')
}

/**
 * Starts an engine and waits until it answers. If a killed set-up left one that is still starting, it only waits.
 * @param isUp whether the engine answers
 * @throws Error with the end of the engine's log if it does not start
 */
export async function startDaemon(
  dockerd: string,
  logFile: string,
  isUp: () => boolean | Promise<boolean>,
  args: readonly string[] = [],
): Promise<void> {
  const hasEnded = keptDaemon(logFile) === null ? spawnDaemon(dockerd, logFile, args) : () => keptDaemon(logFile) === null
  const deadline = performance.now() + START_MS
  while (!(await isUp())) {
    if (hasEnded() || performance.now() > deadline)
      throw new Error(`The Docker engine did not start. The end of ${logFile}:\n${lastLines(logFile)}`)
    await sleep(200)
  }
}

/** @returns a function that says whether the engine has ended */
function spawnDaemon(dockerd: string, logFile: string, args: readonly string[]): () => boolean {
  mkdirSync(dirname(logFile), { recursive: true, mode: 0o700 })
  const log = openSync(logFile, 'w', 0o600)
  const child = spawn(dockerd, args, { stdio: ['ignore', log, log], detached: true })
  closeSync(log)
  let ended = false
  const end = () => {
    ended = true
  }
  child.once('exit', end).once('error', end)
  child.unref()
  if (child.pid) writeFileSync(pidFile(logFile), `${child.pid} ${identityOf(child.pid)}`, { mode: 0o600 })
  return () => ended
}

async function stopDaemon(logFile: string): Promise<void> {
  const pid = keptDaemon(logFile)
  if (pid === null) return
  process.kill(pid, 'SIGTERM')
  const deadline = performance.now() + STOP_MS
  while (keptDaemon(logFile) !== null && performance.now() < deadline) await sleep(100)
  rmSync(pidFile(logFile), { force: true })
}

/** @returns the pid of the engine that a set-up started, if it still runs */
export function keptDaemon(logFile: string): number | null {
  let text = ''
  try {
    text = readFileSync(pidFile(logFile), 'utf8')
  } catch {
    return null
  }
  const [, pid = '', identity = ''] = /^(\d+) (.+)$/.exec(text) ?? []
  return identity !== '' && identityOf(Number(pid)) === identity ? Number(pid) : null
}

function pidFile(logFile: string): string {
  return logFile.replace(/\.log$/, '.pid')
}

function lastLines(file: string): string {
  return readFileSync(file, 'utf8').trim().split('\n').slice(-5).join('\n')
}
