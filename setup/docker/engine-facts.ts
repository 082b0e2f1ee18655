import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, realpathSync, statSync } from 'node:fs'
import { request } from 'node:http'
import { hasApt, hasSudo } from '../machine/apt.mjs'
import { findTool } from '../machine/tools.ts'
import { type Answer, type Facts, isOld, SYSTEM_SOCKET } from './engine-plan.ts'

const ASK_MS = 20_000
/** The format of the question to an engine. */
const VERSION = '{{.Server.Version}} {{.Server.APIVersion}}'
/** Where Debian keeps programs for root. A user's PATH may lack these folders. */
const ROOT_PATHS = '/usr/local/sbin:/usr/sbin:/sbin'

/** Examines this machine. @param tried what the set-up has already tried */
export async function readFacts(dockerHost: string | null, tried: readonly string[]): Promise<Facts> {
  const client = findTool(['docker'])
  const reached = client === null ? null : askByCommand()
  const system = await askSocket(SYSTEM_SOCKET)
  const dockerd = findTool(['dockerd'], pathOfRoot())
  const systemd = existsSync('/run/systemd/system')
  const named = dockerHost !== null && !isSystemSocket(dockerHost)
  return {
    linux: process.platform === 'linux',
    root: process.getuid?.() === 0,
    sudo: hasSudo(),
    hasApt: hasApt(),
    systemd,
    dockerService: systemd && succeeds('systemctl', 'cat', 'docker.service'),
    initScript: existsSync('/etc/init.d/docker') && findTool(['service'], pathOfRoot()) !== null,
    inContainer: ['/.dockerenv', '/run/.containerenv'].some((file) => existsSync(file)),
    client,
    clientPackage: client === null ? null : packageOf(client),
    cliPackage: client === null && succeeds('apt-cache', 'show', 'docker-cli'),
    dockerd,
    aptUpdates: [reached, system].some((answer) => answer?.state === 'answers' && isOld(answer.api)) ? updateOf(dockerd) : null,
    dockerHost: named ? dockerHost : null,
    context: client && dockerHost === null ? readContext() : null,
    reached,
    system,
    socketGroup: readSocketGroup(),
    tried,
  }
}

/** Reads the answer of `docker version`. */
export function readAnswer(answer: { status: number | null; stdout: string; stderr: string }): Answer {
  const [version, api] = answer.stdout.trim().split(' ')
  if (answer.status === 0 && version && api) return { state: 'answers', version, api }
  const error = answer.stderr.trim().split('\n').at(-1) ?? ''
  if (/permission denied/i.test(answer.stderr)) return { state: 'no_permission', error }
  if (/API version|client version|too (old|new)/i.test(answer.stderr)) return { state: 'mismatch', error }
  return { state: 'silent', error }
}

function askByCommand(): Answer {
  const answer = spawnSync('docker', ['version', '--format', VERSION], { encoding: 'utf8', timeout: ASK_MS })
  return readAnswer({ status: answer.status, stdout: answer.stdout ?? '', stderr: answer.stderr || answer.error?.message || '' })
}

/** Asks an engine without the docker command. */
export function askSocket(socketPath: string): Promise<Answer> {
  return new Promise((resolve) => {
    const silent = (error: string) => resolve({ state: 'silent', error })
    const ask = request({ socketPath, path: '/version', timeout: ASK_MS }, (response) => {
      let body = ''
      response.setEncoding('utf8').on('data', (piece) => (body += piece))
      response.once('end', () => resolve(readVersion(body)))
      response.once('error', (error) => silent(error.message))
    })
    ask.once('timeout', () => ask.destroy(new Error(`no answer within ${ASK_MS / 1000} s`)))
    ask.once('error', (error: NodeJS.ErrnoException) =>
      error.code === 'EACCES' ? resolve({ state: 'no_permission', error: error.message }) : silent(error.message),
    )
    ask.end()
  })
}

function readVersion(body: string): Answer {
  try {
    const { Version: version, ApiVersion: api } = JSON.parse(body)
    if (typeof version === 'string' && typeof api === 'string') return { state: 'answers', version, api }
  } catch {
    // Not an engine.
  }
  return { state: 'silent', error: `the socket answers, but not as a Docker engine: ${body.slice(0, 100)}` }
}

/** The docker command follows its context (Docker Desktop, rootless, colima); the runner only knows DOCKER_HOST. */
function readContext(): Facts['context'] {
  const format = ['--format', '{{.Name}} {{.Endpoints.docker.Host}}']
  const answer = spawnSync('docker', ['context', 'inspect', ...format], { encoding: 'utf8', timeout: ASK_MS })
  const [name = '', host = ''] = (answer.stdout ?? '').trim().split(' ')
  const byVariable = Boolean(process.env.DOCKER_CONTEXT)
  if (answer.status === 0) return host === '' || isSystemSocket(host) ? null : { name, host, byVariable }
  const missing = /context "(.+?)"/.exec(answer.stderr ?? '')?.[1]
  return missing ? { name: missing, host: null, byVariable } : null
}

function isSystemSocket(host: string): boolean {
  return [SYSTEM_SOCKET, SYSTEM_SOCKET.replace('/var', '')].includes(host.replace('unix://', ''))
}

function readSocketGroup(): Facts['socketGroup'] {
  if (!existsSync(SYSTEM_SOCKET)) return null
  const { gid } = statSync(SYSTEM_SOCKET)
  const groups = existsSync('/etc/group') ? readFileSync('/etc/group', 'utf8') : ''
  return { gid, name: new RegExp(`^([^:]+):[^:]*:${gid}:`, 'm').exec(groups)?.[1] ?? null }
}

/** @returns the engine's package if apt has a version that is new enough */
function updateOf(dockerd: string | null): string | null {
  const name = dockerd && packageOf(dockerd)
  if (!name) return null
  const policy = spawnSync('apt-cache', ['policy', name], { encoding: 'utf8' }).stdout ?? ''
  const [, major = 0, minor = 0] = /Candidate: (?:\d+:)?(\d+)\.(\d+)/.exec(policy) ?? []
  return Number(major) > 20 || (Number(major) === 20 && Number(minor) >= 10) ? name : null
}

/** @returns the Debian package of a program; null if it was installed some other way */
function packageOf(file: string): string | null {
  const answer = spawnSync('dpkg-query', ['--search', realpathSync(file)], { encoding: 'utf8' })
  return answer.status === 0 ? (answer.stdout.split(':')[0] ?? null) : null
}

function pathOfRoot(): string {
  return `${process.env.PATH ?? ''}:${ROOT_PATHS}`
}

function succeeds(file: string, ...args: string[]): boolean {
  return spawnSync(file, args, { stdio: 'ignore' }).status === 0
}
