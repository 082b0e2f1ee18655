import { spawn } from 'node:child_process'
import { DOOR_PATHS } from '../../contract/wire/names.ts'
import { MARKER } from '../process/processes.ts'

export type GitResult = {
  /** Null: killed, because it wrote too much, timed out or was aborted. */
  code: number | null
  stdout: string
  stderr: string
  /** True when there was more output than `maxBytes`. */
  cut: boolean
}

/** `encoding` of the output: `latin1` keeps every byte, one character each. */
export type GitOptions = { signal?: AbortSignal; timeoutMs?: number; maxBytes?: number; encoding?: 'utf8' | 'latin1' }

/** Runs git with an argument array, in the workspace; a failure is a result, not an exception. */
export type Git = (args: readonly string[], options?: GitOptions) => Promise<GitResult>

/** Overrides whatever the repository or the model wrote into `.git`: our own calls run none of their programs and ask no questions. */
const CONFIG: ReadonlyArray<readonly [string, string]> = [
  ['core.hooksPath', '/dev/null'],
  ['core.fsmonitor', 'false'],
  ['core.quotePath', 'false'],
  ['core.autocrlf', 'false'],
  ['commit.gpgSign', 'false'],
  ['credential.helper', ''],
  ['http.proxy', ''],
  // A git host that sends nothing for two minutes is gone.
  ['http.lowSpeedLimit', '1'],
  ['http.lowSpeedTime', '120'],
  ['gc.auto', '0'],
  ['maintenance.auto', 'false'],
  ['push.recurseSubmodules', 'no'],
  ['submodule.recurse', 'false'],
  ['user.name', 'Errand'],
  ['user.email', 'errand@localhost'],
]

/** The sandbox's root is read-only: nobody can put a repository with a config of its own there. */
export const OUTSIDE = '/'

const MAX_STDERR_CHARS = 64 * 1024

/** @returns the address of the task's repository at the door of the hands */
export function remoteOf({ doorUrl }: { doorUrl: string }): string {
  return `${doorUrl}${DOOR_PATHS.git}`
}

/**
 * @param directory the work tree; made by {@link openWorkspace}
 * @param run marks these calls as the run's own, see process/processes.ts
 */
export function createGit({ directory, path, run }: { directory: string; path: string; run: string }): Git {
  const env = { ...environment(path), [MARKER]: run }
  return (args, { signal, timeoutMs, maxBytes = 32 * 1024 * 1024, encoding = 'utf8' } = {}) =>
    new Promise((resolve) => {
      const child = spawn('git', args, { cwd: directory, env, stdio: ['ignore', 'pipe', 'pipe'], detached: true })
      const stdout: Buffer[] = []
      let bytes = 0
      let stderr = ''
      // The whole group: git's own helper for HTTP would outlive it.
      const kill = () => {
        if (child.pid && child.exitCode === null && child.signalCode === null) killGroup(child.pid)
      }
      const timer = timeoutMs === undefined ? null : setTimeout(kill, timeoutMs)
      signal?.addEventListener('abort', kill, { once: true })
      child.stdout.on('data', (chunk: Buffer) => {
        if (bytes <= maxBytes) stdout.push(chunk.subarray(0, maxBytes - bytes))
        bytes += chunk.length
        if (bytes > maxBytes) kill()
      })
      child.stderr.setEncoding('utf8').on('data', (text: string) => {
        stderr = (stderr + text).slice(-MAX_STDERR_CHARS)
      })
      child.once('error', (error) => {
        stderr += `git could not be started: ${error.message}`
      })
      child.once('close', (code) => {
        if (timer) clearTimeout(timer)
        signal?.removeEventListener('abort', kill)
        resolve({ code, stdout: Buffer.concat(stdout).toString(encoding), stderr, cut: bytes > maxBytes })
      })
      if (signal?.aborted) kill()
    })
}

/** For calls that only fail when something is broken. @returns the output. @throws Error with git's own message */
export async function must(git: Git, args: readonly string[], options?: GitOptions): Promise<string> {
  const result = await git(args, options)
  if (result.code !== 0) throw new Error(`git ${args[0]} failed (${result.code}): ${result.stderr.trim().slice(-1000)}`)
  return result.stdout.trim()
}

function environment(path: string): Record<string, string> {
  return {
    PATH: path,
    HOME: '/nonexistent',
    LANG: 'C.UTF-8',
    LC_MESSAGES: 'C',
    GIT_TERMINAL_PROMPT: '0',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_ALLOW_PROTOCOL: 'http:file',
    GIT_EDITOR: 'true',
    GIT_CONFIG_COUNT: String(CONFIG.length),
    ...Object.fromEntries(
      CONFIG.flatMap(([key, value], index) => [
        [`GIT_CONFIG_KEY_${index}`, key],
        [`GIT_CONFIG_VALUE_${index}`, value],
      ]),
    ),
  }
}

/** The group may have ended just now, although this process has not been told yet. */
function killGroup(id: number): void {
  try {
    process.kill(-id, 'SIGKILL')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}
