import { aptCommand } from '../machine/apt.mjs'
import { ENGINE_FOLDER, logFileIn } from './docker-daemon.ts'

/** The answer of one engine. `api` is the newest Docker API version that it supports. */
export type Answer =
  | { state: 'answers'; version: string; api: string }
  /** `mismatch`: the engine runs, but its version and that of the docker command are too far apart. */
  | { state: 'no_permission' | 'silent' | 'mismatch'; error: string }

/** Everything that the choice of an engine depends on. */
export type Facts = Readonly<{
  linux: boolean
  root: boolean
  /** `free`: sudo asks for no password. */
  sudo: 'none' | 'asks' | 'free'
  hasApt: boolean
  /** Whether systemd runs this machine, and whether it has a Docker service. */
  systemd: boolean
  dockerService: boolean
  /** Whether Docker's init script and the command `service` exist, for machines without systemd. */
  initScript: boolean
  inContainer: boolean
  /** The docker command on PATH and its Debian package; null: none. */
  client: string | null
  clientPackage: string | null
  /** Whether Debian packages the docker command without an engine (Debian 13 and later). */
  cliPackage: boolean
  /** The engine's program. If the engine is too old, `aptUpdates` is the package that updates it, if apt has a newer one. */
  dockerd: string | null
  aptUpdates: string | null
  /** DOCKER_HOST, unless it names the default socket. */
  dockerHost: string | null
  /** The docker command's context, unless it is the default one. `host` is null if the context does not exist. `byVariable`: DOCKER_CONTEXT names it. */
  context: Readonly<{ name: string; host: string | null; byVariable: boolean }> | null
  /** The engine that the docker command reaches through DOCKER_HOST or its context; null without a command. */
  reached: Answer | null
  /** The engine at the default socket, and the group that may use the socket (`name` null: unknown here). */
  system: Answer
  socketGroup: Readonly<{ gid: number; name: string | null }> | null
  /** What this set-up has already tried, so that it tries nothing twice. */
  tried: readonly string[]
}>

export type Step =
  /** `instead`: the message if this is not the engine that the docker command points to. */
  | { do: 'use'; host: string | null; version: string; instead: string | null }
  /** `by`: the command that starts the engine as a service; null: start it as our own process. */
  | { do: 'start'; by: readonly string[] | null; dockerd: string; message: string }
  | { do: 'install'; packages: readonly string[]; message: string }
  | { do: 'tell'; text: string }

export const SYSTEM_SOCKET = '/var/run/docker.sock'
/** Docker 20.10 has it. */
const OLDEST_API = '1.41'
const DOCS = 'https://docs.docker.com/engine/install/'

/**
 * Decides the next step towards an engine that answers. DOCKER_HOST is an order and is never bypassed. A context is a habit: if it
 * points nowhere, the set-up uses this system's own engine and says so.
 */
export function nextStep(facts: Facts): Step {
  if (facts.client === null)
    return facts.dockerHost === null && facts.system.state === 'silent' ? getEngine(facts) : getClient(facts)
  const { reached, system } = facts
  if (reached?.state === 'answers') return useOrRefuse(facts, reached, facts.dockerHost ?? facts.context?.host ?? null, null)
  if (reached?.state === 'mismatch') return tell(tooFarApart(facts, reached.error))
  if (facts.dockerHost !== null) return tell(brokenHost(facts, facts.dockerHost, errorOf(reached)))
  if (facts.context === null && reached?.state === 'no_permission') return tell(noPermission(facts))
  if (facts.context === null)
    return system.state === 'answers' ? tell(deafCommand(facts.client, errorOf(reached))) : getEngine(facts)
  if (system.state === 'answers')
    return useOrRefuse(facts, system, `unix://${SYSTEM_SOCKET}`, insteadOfContext(facts.context, reached))
  if (system.state === 'no_permission') return tell(`${deadContext(facts.context, reached)}\n${noPermission(facts)}`)
  return getEngine(facts)
}

function tell(text: string): Step {
  return { do: 'tell', text }
}

function errorOf(answer: Answer | null): string {
  return answer && 'error' in answer && answer.error ? answer.error : 'it does not answer'
}

function useOrRefuse(facts: Facts, engine: Answer & { state: 'answers' }, host: string | null, instead: string | null): Step {
  return isOld(engine.api) ? tell(tooOld(facts, engine, host)) : { do: 'use', host, version: engine.version, instead }
}

export function isOld(api: string): boolean {
  const [major = 0, minor = 0] = api.split('.').map(Number)
  const [oldestMajor = 0, oldestMinor = 0] = OLDEST_API.split('.').map(Number)
  return major < oldestMajor || (major === oldestMajor && minor < oldestMinor)
}

function getClient(facts: Facts): Step {
  const packages = facts.cliPackage || facts.tried.includes('docker.io') ? ['docker-cli'] : ['docker.io']
  const engine = facts.dockerHost ? `DOCKER_HOST names an engine (${facts.dockerHost})` : `An engine runs at ${SYSTEM_SOCKET}`
  const why = `${engine}, but the docker command is missing.`
  const along = packages[0] === 'docker.io' ? ' (The package also contains an engine, which stays unused.)' : ''
  return install(facts, packages, why + along) ?? tell(`${why}\n${installHint(facts, packages)}`)
}

/** No engine answers at the default socket: starts the installed one, or installs one. */
function getEngine(facts: Facts): Step {
  if (!facts.linux) return tell(notLinux(facts))
  const lost = facts.context ? `${deadContext(facts.context, facts.reached)}\n` : ''
  if (facts.dockerd !== null) return startEngine(facts, facts.dockerd, lost)
  const packages = enginePackages(facts.clientPackage)
  const why = facts.client
    ? `${lost}The docker command is installed (${facts.client}), but no Docker engine; every task runs in its own container.`
    : 'Docker is not installed; every task runs in its own container.'
  return install(facts, packages, why) ?? tell(noEngine(facts, packages, lost))
}

function notLinux({ client }: Facts): string {
  return client === null
    ? `Errand needs a Docker engine: every task runs in its own container. Install one: ${DOCS}. Then start again.`
    : 'No Docker engine answers. Open Docker Desktop (or run: colima start). Then start again.'
}

function startEngine(facts: Facts, dockerd: string, lost: string): Step {
  const { root, sudo } = facts
  const asRoot = root ? [] : ['sudo']
  const system = facts.systemd && facts.dockerService ? ['systemctl', 'start', 'docker'] : null
  const service = facts.initScript && !facts.systemd ? ['service', 'docker', 'start'] : null
  const message = `${lost}The Docker engine is not running. Starting it:`
  if (!facts.tried.includes('start')) {
    const command = system ?? (root ? null : service)
    const words = [...(root ? [] : ['sudo', '-n']), ...(command ?? [])]
    if (command && (root || sudo === 'free')) return { do: 'start', by: words, dockerd, message: `${message} ${words.join(' ')}` }
    if (root && !facts.systemd) return { do: 'start', by: null, dockerd, message: `${message} ${dockerd}` }
  }
  const words = [...asRoot, ...(system ?? service ?? [dockerd])].join(' ')
  const isHere = `${lost}Docker is installed, but its engine is not running: ${errorOf(facts.reached)}`
  if (facts.tried.includes('start'))
    return tell(`${isHere}\nIt was started and still does not answer. To see why: ${logCommand(facts)}`)
  if (!root && sudo === 'none')
    return tell(`${isHere}\nAsk the administrator of this machine to run: ${(system ?? service ?? [dockerd]).join(' ')}`)
  return tell(`${isHere}\nStart it: ${words}${system || service ? '' : ' (it stays in the foreground)'}. Then start again.`)
}

function logCommand({ systemd, root }: Facts): string {
  if (systemd) return `${root ? '' : 'sudo '}journalctl --unit docker --lines 20`
  return root ? `tail ${logFileIn(ENGINE_FOLDER)}` : 'sudo tail /var/log/docker.log'
}

/** The engine must come from the same vendor as the command: packages of different vendors conflict. */
function enginePackages(clientPackage: string | null): readonly string[] {
  if (clientPackage === 'docker-ce-cli') return ['docker-ce', 'containerd.io']
  return clientPackage === 'moby-cli' ? ['moby-engine'] : ['docker.io']
}

function mayInstall({ linux, hasApt, root, sudo }: Facts): boolean {
  return linux && hasApt && (root || sudo === 'free')
}

function install(facts: Facts, packages: readonly string[], message: string): Step | null {
  return mayInstall(facts) && !packages.some((name) => facts.tried.includes(name)) ? { do: 'install', packages, message } : null
}

function joinGroup({ root }: Facts): string {
  return root ? '' : ' && sudo usermod -aG docker "$USER"'
}

function installHint(facts: Facts, packages: readonly string[]): string {
  if (!facts.hasApt) return `Install it (${DOCS}) and start again.`
  if (!facts.root && facts.sudo === 'none')
    return `Ask the administrator of this machine to install: ${packages.join(', ')}. Then start again.`
  return `Run: ${aptCommand(packages, facts.root)}${joinGroup(facts)}\nThen ${facts.root ? '' : 'log in again, and '}start again.`
}

/** Members of Docker's group are effectively root on this machine, so the set-up never adds anyone by itself. */
function noEngine(facts: Facts, packages: readonly string[], lost: string): string {
  const have = facts.client
    ? `The docker command is installed (${facts.client}), but no engine.`
    : 'Neither the docker command nor an engine is installed.'
  const mount = facts.inContainer ? `\n${CONTAINER_HINT}` : ''
  return `${lost}Errand needs a Docker engine: every task runs in its own container. ${have}\n${installHint(facts, packages)}${mount}`
}

function noPermission({ root, sudo, socketGroup, reached, system }: Facts): string {
  const fault = `Docker is installed, but this user has no permission to use it: ${errorOf(system.state === 'no_permission' ? system : reached)}`
  if (root || socketGroup?.gid === 0) return `${fault}\nAllow this user to read and write ${SYSTEM_SOCKET}, and start again.`
  const name = socketGroup?.name ?? 'docker'
  if (sudo === 'none')
    return `${fault}\nAsk the administrator of this machine to add you to the group ${name}. Then log in again, and start again.`
  // A socket mounted into a container may belong to a group that only the host has.
  const make = socketGroup && socketGroup.name === null ? `sudo groupadd --gid ${socketGroup.gid} ${name} && ` : ''
  return `${fault}\nRun: ${make}sudo usermod -aG ${name} "$USER"\nThen log in again, and start again.`
}

function deafCommand(client: string, why: string): string {
  return `A Docker engine answers at ${SYSTEM_SOCKET}, but the docker command (${client}) does not reach it: ${why}\nFix that (docker version shows the error) and start again.`
}

function brokenHost(facts: Facts, host: string, why: string): string {
  const instead =
    facts.system.state === 'answers' || facts.dockerd
      ? `, or use this system's own engine: unset DOCKER_HOST`
      : ', or remove it: unset DOCKER_HOST'
  return `The Docker engine at ${host} (DOCKER_HOST) cannot be used: ${why}\nStart it, correct DOCKER_HOST${instead} (and remove it from .env if it is there). Then start again.`
}

function deadContext(context: NonNullable<Facts['context']>, reached: Answer | null): string {
  return context.host === null
    ? `The docker context "${context.name}" does not exist.`
    : `The docker context "${context.name}" points to ${context.host}, and there: ${errorOf(reached)}`
}

function insteadOfContext(context: NonNullable<Facts['context']>, reached: Answer | null): string {
  return `${deadContext(context, reached)}\nErrand uses this system's own engine instead. To make that permanent: ${context.byVariable ? 'unset DOCKER_CONTEXT' : 'docker context use default'}`
}

function tooFarApart({ client, reached }: Facts, why: string): string {
  return `The versions of the docker command and the engine are too far apart: ${why || errorOf(reached)}\nUpdate the older one. If this machine has another docker command, put its folder before ${client} in PATH. Then start again.`
}

function tooOld({ aptUpdates, root }: Facts, { version, api }: { version: string; api: string }, host: string | null): string {
  const local = host === null || host === `unix://${SYSTEM_SOCKET}`
  const fault = `The Docker engine${local ? '' : ` at ${host}`} is too old: version ${version} (API ${api}). Errand needs 20.10 (API ${OLDEST_API}) or newer.`
  // An update stops all containers of the engine, so the set-up never does it by itself.
  const how = local && aptUpdates ? aptCommand([aptUpdates], root) : DOCS
  return `${fault}\nUpdate it (its containers stop meanwhile): ${how}\nThen start again.`
}

/** Added to an engine's error message if the engine does not start inside a container. */
export const CONTAINER_HINT = `This is a container. An engine inside it needs \`docker run --privileged\`. Or mount the host's socket: -v ${SYSTEM_SOCKET}:${SYSTEM_SOCKET}`
