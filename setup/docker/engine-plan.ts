import { aptCommand } from '../machine/apt.mjs'
import { ENGINE_FOLDER, logFileIn } from './docker-daemon.ts'

/** What one engine answered. `api` is the newest version of Docker's API that it speaks. */
export type Answer =
  | { state: 'answers'; version: string; api: string }
  /** `mismatch`: the engine lives, but it and this docker command are too far apart in age to talk. */
  | { state: 'no_permission' | 'silent' | 'mismatch'; said: string }

/** All that the choice of an engine rests on. */
export type Facts = Readonly<{
  linux: boolean
  root: boolean
  /** `free`: it asks for no password. */
  sudo: 'none' | 'asks' | 'free'
  hasApt: boolean
  /** Runs this machine; and has a service of Docker's. */
  systemd: boolean
  dockerService: boolean
  /** Docker's script for machines without systemd, and the command `service`. */
  initScript: boolean
  inContainer: boolean
  /** The docker command on PATH, and the Debian package that it came with; null: none. */
  client: string | null
  clientPackage: string | null
  /** Debian has the docker command as a package of its own, without an engine (from Debian 13 on). */
  cliPackage: boolean
  /** The engine's program; and, when the engine is too old, the package that apt would update it to one that is not with. */
  dockerd: string | null
  aptUpdates: string | null
  /** DOCKER_HOST, unless it names the usual socket. */
  dockerHost: string | null
  /** The docker command's context, unless it is the usual one. `host` is null when there is none of that name; DOCKER_CONTEXT may name it. */
  context: Readonly<{ name: string; host: string | null; byVariable: boolean }> | null
  /** What the docker command reaches, by DOCKER_HOST or its context; null without a command. */
  reached: Answer | null
  /** What the usual socket answers, whatever the command reaches; and the group that may use it (`name` null: unknown here). */
  system: Answer
  socketGroup: Readonly<{ gid: number; name: string | null }> | null
  /** What this setup did already, so that nothing is tried twice. */
  tried: readonly string[]
}>

export type Step =
  /** `instead`: what to say when it is not the engine that the docker command leads to. */
  | { do: 'use'; host: string | null; version: string; instead: string | null }
  /** `by`: the command that wakes the engine as a service; null: as a process of ours. */
  | { do: 'start'; by: readonly string[] | null; dockerd: string; say: string }
  | { do: 'install'; packages: readonly string[]; say: string }
  | { do: 'tell'; text: string }

export const SYSTEM_SOCKET = '/var/run/docker.sock'
/** Docker 20.10 has it. */
const OLDEST_API = '1.41'
const DOCS = 'https://docs.docker.com/engine/install/'

/**
 * The next step on the way to an engine that answers. DOCKER_HOST is an order and is never gone around; a context is a habit: when it
 * leads nowhere, this system's own engine is taken, and said.
 */
export function nextStep(facts: Facts): Step {
  if (facts.client === null)
    return facts.dockerHost === null && facts.system.state === 'silent' ? getEngine(facts) : getClient(facts)
  const { reached, system } = facts
  if (reached?.state === 'answers') return useOrRefuse(facts, reached, facts.dockerHost ?? facts.context?.host ?? null, null)
  if (reached?.state === 'mismatch') return tell(tooFarApart(facts, reached.said))
  if (facts.dockerHost !== null) return tell(brokenHost(facts, facts.dockerHost, said(reached)))
  if (facts.context === null && reached?.state === 'no_permission') return tell(noPermission(facts))
  if (facts.context === null)
    return system.state === 'answers' ? tell(deafCommand(facts.client, said(reached))) : getEngine(facts)
  if (system.state === 'answers')
    return useOrRefuse(facts, system, `unix://${SYSTEM_SOCKET}`, insteadOfContext(facts.context, reached))
  if (system.state === 'no_permission') return tell(`${deadContext(facts.context, reached)}\n${noPermission(facts)}`)
  return getEngine(facts)
}

function tell(text: string): Step {
  return { do: 'tell', text }
}

function said(answer: Answer | null): string {
  return answer && 'said' in answer && answer.said ? answer.said : 'it does not answer'
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
  const engine = facts.dockerHost ? `DOCKER_HOST names an engine (${facts.dockerHost})` : `An engine is at ${SYSTEM_SOCKET}`
  const why = `${engine}, but the docker command is missing.`
  const along = packages[0] === 'docker.io' ? ' (The package brings an engine of its own along; that one is not used.)' : ''
  return install(facts, packages, why + along) ?? tell(`${why}\n${installHint(facts, packages)}`)
}

/** No engine answers at the usual socket: starts the one that is here, or installs one. */
function getEngine(facts: Facts): Step {
  if (!facts.linux) return tell(notLinux(facts))
  const lost = facts.context ? `${deadContext(facts.context, facts.reached)}\n` : ''
  if (facts.dockerd !== null) return startEngine(facts, facts.dockerd, lost)
  const packages = enginePackages(facts.clientPackage)
  const why = facts.client
    ? `${lost}The docker command is here (${facts.client}), but no Docker engine; every task works in a container of its own.`
    : 'No Docker is here; every task works in a container of its own.'
  return install(facts, packages, why) ?? tell(noEngine(facts, packages, lost))
}

function notLinux({ client }: Facts): string {
  return client === null
    ? `Errand needs a Docker engine: every task works in a container of its own. Install one: ${DOCS}. Then start again.`
    : 'No Docker engine answers. Open Docker Desktop (or type: colima start). Then start again.'
}

function startEngine(facts: Facts, dockerd: string, lost: string): Step {
  const { root, sudo } = facts
  const asRoot = root ? [] : ['sudo']
  const system = facts.systemd && facts.dockerService ? ['systemctl', 'start', 'docker'] : null
  const service = facts.initScript && !facts.systemd ? ['service', 'docker', 'start'] : null
  const say = `${lost}The Docker engine does not run; starting it:`
  if (!facts.tried.includes('start')) {
    const command = system ?? (root ? null : service)
    const words = [...(root ? [] : ['sudo', '-n']), ...(command ?? [])]
    if (command && (root || sudo === 'free')) return { do: 'start', by: words, dockerd, say: `${say} ${words.join(' ')}` }
    if (root && !facts.systemd) return { do: 'start', by: null, dockerd, say: `${say} ${dockerd}` }
  }
  const words = [...asRoot, ...(system ?? service ?? [dockerd])].join(' ')
  const isHere = `${lost}Docker is here, but its engine does not run: ${said(facts.reached)}`
  if (facts.tried.includes('start'))
    return tell(`${isHere}\nIt was started, and still does not answer. Why: ${logCommand(facts)}`)
  if (!root && sudo === 'none')
    return tell(`${isHere}\nAsk who administers this machine to start it: ${(system ?? service ?? [dockerd]).join(' ')}`)
  return tell(`${isHere}\nStart it: ${words}${system || service ? '' : ' (it stays in the foreground)'}. Then start again.`)
}

function logCommand({ systemd, root }: Facts): string {
  if (systemd) return `${root ? '' : 'sudo '}journalctl --unit docker --lines 20`
  return root ? `tail ${logFileIn(ENGINE_FOLDER)}` : 'sudo tail /var/log/docker.log'
}

/** Where the command comes from, its engine does too: packages of different makers push each other out. */
function enginePackages(clientPackage: string | null): readonly string[] {
  if (clientPackage === 'docker-ce-cli') return ['docker-ce', 'containerd.io']
  return clientPackage === 'moby-cli' ? ['moby-engine'] : ['docker.io']
}

function mayInstall({ linux, hasApt, root, sudo }: Facts): boolean {
  return linux && hasApt && (root || sudo === 'free')
}

function install(facts: Facts, packages: readonly string[], say: string): Step | null {
  return mayInstall(facts) && !packages.some((name) => facts.tried.includes(name)) ? { do: 'install', packages, say } : null
}

function joinGroup({ root }: Facts): string {
  return root ? '' : ' && sudo usermod -aG docker "$USER"'
}

function installHint(facts: Facts, packages: readonly string[]): string {
  if (!facts.hasApt) return `Install it (${DOCS}), and start again.`
  if (!facts.root && facts.sudo === 'none')
    return `Ask who administers this machine to install: ${packages.join(', ')}. Then start again.`
  return `Type: ${aptCommand(packages, facts.root)}${joinGroup(facts)}\nThen ${facts.root ? '' : 'sign in again, and '}start again.`
}

/** Who is in Docker's group is as good as root on this machine, so that is never done unasked. */
function noEngine(facts: Facts, packages: readonly string[], lost: string): string {
  const have = facts.client
    ? `The docker command is here (${facts.client}), but no engine.`
    : 'Neither the docker command nor an engine is here.'
  const mount = facts.inContainer ? `\n${CONTAINER_HINT}` : ''
  return `${lost}Errand needs a Docker engine: every task works in a container of its own. ${have}\n${installHint(facts, packages)}${mount}`
}

function noPermission({ root, sudo, socketGroup, reached, system }: Facts): string {
  const fault = `Docker is here, but this user may not use it: ${said(system.state === 'no_permission' ? system : reached)}`
  if (root || socketGroup?.gid === 0)
    return `${fault}\nGive this user the right to read and write ${SYSTEM_SOCKET}, and start again.`
  const name = socketGroup?.name ?? 'docker'
  if (sudo === 'none')
    return `${fault}\nAsk who administers this machine to add you to the group ${name}; then sign in again, and start again.`
  // A socket that was mounted into a container belongs to a group that only the host has.
  const make = socketGroup && socketGroup.name === null ? `sudo groupadd --gid ${socketGroup.gid} ${name} && ` : ''
  return `${fault}\nType: ${make}sudo usermod -aG ${name} "$USER"\nThen sign in again, and start again.`
}

function deafCommand(client: string, why: string): string {
  return `A Docker engine answers at ${SYSTEM_SOCKET}, but the docker command (${client}) does not reach it: ${why}\nMend what keeps it (docker version shows it), and start again.`
}

function brokenHost(facts: Facts, host: string, why: string): string {
  const instead =
    facts.system.state === 'answers' || facts.dockerd
      ? `, or use this system's own engine: unset DOCKER_HOST`
      : ', or leave it out: unset DOCKER_HOST'
  return `The Docker engine at ${host} (DOCKER_HOST) cannot be used: ${why}\nStart it, correct DOCKER_HOST${instead} (and take it out of .env, if it is there). Then start again.`
}

function deadContext(context: NonNullable<Facts['context']>, reached: Answer | null): string {
  return context.host === null
    ? `The docker context "${context.name}" does not exist.`
    : `The docker context "${context.name}" leads to ${context.host}, and there: ${said(reached)}`
}

function insteadOfContext(context: NonNullable<Facts['context']>, reached: Answer | null): string {
  return `${deadContext(context, reached)}\nThis system's own engine is used instead. To make that the rule: ${context.byVariable ? 'unset DOCKER_CONTEXT' : 'docker context use default'}`
}

function tooFarApart({ client, reached }: Facts, why: string): string {
  return `The docker command and the engine are too far apart in age: ${why || said(reached)}\nUpdate the older one; or, if another docker command is on this machine, put its folder into PATH before ${client}. Then start again.`
}

function tooOld({ aptUpdates, root }: Facts, { version, api }: { version: string; api: string }, host: string | null): string {
  const local = host === null || host === `unix://${SYSTEM_SOCKET}`
  const fault = `The Docker engine${local ? '' : ` at ${host}`} is too old: it is version ${version} (API ${api}); Errand needs 20.10 (API ${OLDEST_API}) or newer.`
  // An update stops its containers, whosever they are: that is never done unasked.
  const how = local && aptUpdates ? aptCommand([aptUpdates], root) : DOCS
  return `${fault}\nUpdate it (its containers stop meanwhile): ${how}\nThen start again.`
}

/** Added to an engine's own words when it does not come up inside a container. */
export const CONTAINER_HINT = `This is a container. An engine in it needs \`docker run --privileged\`; or mount the host's socket: -v ${SYSTEM_SOCKET}:${SYSTEM_SOCKET}`
