import { spawn } from 'node:child_process'

/** git on the runner's host, in one bare repository of the runner's own. The only file of the runner that starts git. */
export type HostGit = (args: readonly string[], options?: { maxBytes?: number }) => Promise<HostGitResult>

export type HostGitResult = {
  /** Null: killed, because it printed too much, took too long or was aborted. */
  code: number | null
  /** Bytes, because names and contents need not be UTF-8. */
  stdout: Buffer
  stderr: string
  /** True when there was more output than `maxBytes`. */
  cut: boolean
}

export type HostGitOptions = {
  /** The bare repository. */
  directory: string
  /** Where programs are, as in `PATH`. */
  path: string
  /** The address to fetch from, and the value of the `Authorization` header for it. Both stay out of the arguments and of the repository. */
  remote: { url: string; authorization: string }
  signal: AbortSignal
}

/** Larger files are neither compared nor shown: one that compresses well would take all memory of the host. */
export const BIG_FILE_BYTES = 20 * 1024 * 1024

/**
 * What one call may use: address space (KB), processor time (s) and the size of a file that it writes (512-byte blocks). A system that does
 * not know a limit goes without it.
 */
const LIMITED = 'ulimit -v 2097152 2>/dev/null; ulimit -t 120 2>/dev/null; ulimit -f 4194304 2>/dev/null; exec git "$@"'

const MAX_BYTES = 64 * 1024 * 1024
const MAX_STDERR_CHARS = 16 * 1024

/**
 * Runs git on data alone. The repository has no work tree, and no setting of the host's user, no hook, no filter, no attribute and no program
 * that a fetched tree names has any effect. It reads over HTTP from one address, follows no redirect and asks nobody.
 */
export function createHostGit({ directory, path, remote, signal }: HostGitOptions): HostGit {
  const env = environmentFor(directory, path, remote)
  return (args, { maxBytes = MAX_BYTES } = {}) =>
    new Promise((resolve) => {
      const child = spawn('/bin/sh', ['-c', LIMITED, 'git', ...args], {
        cwd: directory,
        env,
        stdio: ['ignore', 'pipe', 'pipe'],
        detached: true,
      })
      const chunks: Buffer[] = []
      let bytes = 0
      let stderr = ''
      // The whole group: git's own helper for HTTP would outlive it.
      const kill = () => {
        if (child.pid && child.exitCode === null && child.signalCode === null) killGroup(child.pid)
      }
      signal.addEventListener('abort', kill, { once: true })
      child.stdout.on('data', (chunk: Buffer) => {
        if (bytes <= maxBytes) chunks.push(chunk.subarray(0, maxBytes - bytes))
        bytes += chunk.length
        if (bytes > maxBytes) kill()
      })
      child.stderr.setEncoding('utf8').on('data', (text: string) => {
        stderr = (stderr + text).slice(-MAX_STDERR_CHARS)
      })
      child.once('error', (error) => {
        stderr += error.message
      })
      child.once('close', (code) => {
        signal.removeEventListener('abort', kill)
        resolve({ code, stdout: Buffer.concat(chunks), stderr, cut: bytes > maxBytes })
      })
      if (signal.aborted) kill()
    })
}

/** @returns the text that git printed. @throws Error with git's own message */
export async function mustGit(git: HostGit, args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await git(args)
  if (code !== 0) throw new Error(`git ${args[0]} failed (${code}): ${stderr.trim().slice(-1000)}`)
  return stdout.toString('utf8').trim()
}

/** The first version that takes settings from its environment as {@link createHostGit} gives them. */
const OLDEST = [2, 31] as const

/** @throws Error with what to do when git is missing or too old */
export async function checkHostGit(path: string): Promise<void> {
  const advice = `A runner needs git ${OLDEST.join('.')} or newer on its own host: it reads what was pushed with it. Install it (Debian, Ubuntu: apt-get install git), then start the runner again.`
  const printed = await new Promise<string>((resolve) => {
    const child = spawn('git', ['--version'], { env: { PATH: path }, stdio: ['ignore', 'pipe', 'ignore'] })
    let text = ''
    child.stdout.setEncoding('utf8').on('data', (piece: string) => {
      text += piece
    })
    child.once('error', () => resolve(''))
    child.once('close', () => resolve(text))
  })
  const [, major = 0, minor = 0] = (/git version (\d+)\.(\d+)/.exec(printed) ?? []).map(Number)
  if (major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1])) return
  throw new Error(major === 0 ? `git was not found. ${advice}` : `git ${major}.${minor} is too old. ${advice}`)
}

function environmentFor(directory: string, path: string, { url, authorization }: HostGitOptions['remote']) {
  const config: ReadonlyArray<readonly [string, string]> = [
    ['remote.origin.url', url],
    // File contents are fetched when they are compared, and only those.
    ['remote.origin.promisor', 'true'],
    ['remote.origin.partialCloneFilter', 'blob:none'],
    ['http.extraHeader', `Authorization: ${authorization}`],
    ['http.followRedirects', 'false'],
    ['http.proxy', ''],
    ['http.lowSpeedLimit', '1'],
    ['http.lowSpeedTime', '60'],
    ['credential.helper', ''],
    ['protocol.version', '2'],
    ['core.hooksPath', '/dev/null'],
    ['core.attributesFile', '/dev/null'],
    ['core.bigFileThreshold', String(BIG_FILE_BYTES)],
    ['core.packedGitWindowSize', '32m'],
    ['core.packedGitLimit', '256m'],
    ['core.deltaBaseCacheLimit', '32m'],
    ['pack.threads', '1'],
    ['gc.auto', '0'],
    ['maintenance.auto', 'false'],
    ['fetch.recurseSubmodules', 'false'],
    ['submodule.recurse', 'false'],
  ]
  return {
    PATH: path,
    HOME: directory,
    LC_ALL: 'C',
    GIT_DIR: directory,
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_ATTR_NOSYSTEM: '1',
    GIT_NO_REPLACE_OBJECTS: '1',
    GIT_TERMINAL_PROMPT: '0',
    GIT_ALLOW_PROTOCOL: 'http',
    GIT_CONFIG_COUNT: String(config.length),
    ...Object.fromEntries(
      config.flatMap(([key, value], index) => [
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
