import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { aptCommand, aptInstall, canApt } from './apt.mjs'
import { ENGINE_FOLDER, logFileIn, startDaemon, useDaemon } from './docker-daemon.ts'
import { findTool } from './tools.ts'

export type Docker = Readonly<{
  /** Where the runner reaches it; null: the usual socket. */
  host: string | null
  version: string
  /** Leaves the engine; ends it when a setup like this one started it and none uses it any more. */
  stop: () => Promise<void>
}>

const asRoot = process.getuid?.() === 0
const JOIN_GROUP = 'sudo usermod -aG docker "$USER"'

export type EngineState =
  | { state: 'answers'; version: string }
  | { state: 'no_command' | 'no_permission' | 'not_running'; said: string }

/** Reads what `docker version` answered. */
export const readEngineState = (answer: {
  status: number | null
  stdout: string
  stderr: string
  missing: boolean
}): EngineState => {
  if (answer.missing) return { state: 'no_command', said: 'docker is not on PATH' }
  const version = answer.stdout.trim()
  if (answer.status === 0 && version) return { state: 'answers', version }
  const said = answer.stderr.trim().split('\n').at(-1) ?? ''
  return { state: /permission denied/i.test(answer.stderr) ? 'no_permission' : 'not_running', said }
}

/**
 * Finds a Docker engine that answers; where it may, starts or installs one, and says so before.
 * @throws Error with the command to type when it can do neither
 */
export const findDocker = async (hostGiven: string | null): Promise<Docker> => {
  const stop = mayStartByHand() ? await useDaemon(ENGINE_FOLDER) : async () => undefined
  try {
    let engine = askEngine()
    if (engine.state === 'no_command') {
      installDocker()
      engine = askEngine()
    }
    if (engine.state === 'not_running' && hostGiven === null) {
      await startEngine()
      engine = askEngine()
    }
    if (engine.state !== 'answers') throw new Error(noEngine(engine, hostGiven))
    return { host: hostGiven ?? contextHost(), version: engine.version, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

const askEngine = (): EngineState => {
  const answer = spawnSync('docker', ['version', '--format', '{{.Server.Version}}'], { encoding: 'utf8' })
  return readEngineState({
    status: answer.status,
    stdout: answer.stdout ?? '',
    stderr: answer.stderr ?? '',
    missing: (answer.error as NodeJS.ErrnoException | undefined)?.code === 'ENOENT',
  })
}

const installDocker = (): void => {
  if (!canApt()) throw new Error(noDocker(asRoot))
  console.log('No Docker is here; every task works in a container of its own.')
  aptInstall(['docker.io'])
  // From Debian 13 on, the command is a package of its own.
  if (!findTool(['docker'])) aptInstall(['docker-cli'])
}

const mayStartByHand = (): boolean => process.platform === 'linux' && asRoot && !existsSync('/run/systemd/system')

const startEngine = async (): Promise<void> => {
  if (process.platform !== 'linux') return
  if (existsSync('/run/systemd/system')) {
    const command = [...(asRoot ? [] : ['sudo', '-n']), 'systemctl', 'start', 'docker']
    console.log(`The Docker engine does not run; starting it: ${command.join(' ')}`)
    spawnSync(command[0] ?? '', command.slice(1), { stdio: ['ignore', 'ignore', 'inherit'] })
    return
  }
  const logFile = logFileIn(ENGINE_FOLDER)
  const dockerd = findTool(['dockerd'], `${process.env.PATH ?? ''}:/usr/sbin:/usr/local/sbin`)
  if (!mayStartByHand() || !dockerd) return
  console.log(`The Docker engine does not run; starting it: ${dockerd} (log: ${logFile})`)
  await startDaemon(dockerd, logFile, () => askEngine().state === 'answers')
}

/** The docker command follows its context (Docker Desktop, rootless, colima); the runner only knows DOCKER_HOST. */
const contextHost = (): string | null => {
  const answer = spawnSync('docker', ['context', 'inspect', '--format', '{{.Endpoints.docker.Host}}'], { encoding: 'utf8' })
  const host = answer.status === 0 ? answer.stdout.trim() : ''
  return host && host !== 'unix:///var/run/docker.sock' ? host : null
}

const noEngine = (engine: Exclude<EngineState, { state: 'answers' }>, hostGiven: string | null): string => {
  if (engine.state === 'no_command') return noDocker(asRoot)
  if (engine.state === 'no_permission')
    return `Docker is here, but this user may not use it. Type: ${JOIN_GROUP} — then sign in again, and start again.`
  if (hostGiven !== null)
    return `The Docker engine at ${hostGiven} (DOCKER_HOST) does not answer: ${engine.said}\nStart it, or correct DOCKER_HOST.`
  const how =
    process.platform === 'linux' ? 'sudo systemctl start docker (or: sudo dockerd)' : 'open Docker Desktop, or: colima start'
  return `Docker is here, but its engine does not run: ${engine.said}\nStart it with: ${how}. Then start again.`
}

/** Who is in its group is as good as root on this machine, so that is never done unasked. */
export const noDocker = (root: boolean): string =>
  [
    'Errand needs a Docker engine: every task works in a container of its own.',
    `  Debian, Ubuntu:  ${aptCommand(['docker.io'])}${root ? '' : ` && ${JOIN_GROUP}`}`,
    '  Others:          https://docs.docker.com/engine/install/',
    `Then ${root ? '' : 'sign in again, and '}start again.`,
  ].join('\n')
