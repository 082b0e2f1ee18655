import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { aptInstall } from '../machine/apt.mjs'
import { ENGINE_FOLDER, keptDaemon, logFileIn, startDaemon, useDaemon } from './docker-daemon.ts'
import { askSocket, readFacts } from './engine-facts.ts'
import { CONTAINER_HINT, nextStep, type Step, SYSTEM_SOCKET } from './engine-plan.ts'

export type Docker = Readonly<{
  /** The address for the runner; null: the default socket. */
  host: string | null
  version: string
  /** Whether a set-up started the engine: it may end with us, and its containers with it. */
  isOurs: () => boolean
  /** Releases the engine. Stops it if a set-up started it and nobody else uses it. */
  stop: () => Promise<void>
}>

const START_MS = 60_000

/**
 * Finds a Docker engine that answers. If permitted, starts or installs one, and says so first. If the docker command's context points
 * nowhere, it sets DOCKER_HOST in this process, so that every following docker command uses the engine it found.
 * @param hostGiven DOCKER_HOST
 * @throws Error with the command to type if it can do neither
 */
export async function findDocker(hostGiven: string | null): Promise<Docker> {
  const stop = mayStartByHand() ? await useDaemon(ENGINE_FOLDER) : async () => undefined
  const isOurs = () => Boolean(keptDaemon(logFileIn(ENGINE_FOLDER)))
  try {
    const tried: string[] = []
    for (;;) {
      const facts = await readFacts(hostGiven, tried)
      const step = nextStep(facts)
      if (step.do === 'tell') throw new Error(step.text)
      if (step.do === 'use') {
        if (step.instead) {
          console.log(step.instead)
          process.env.DOCKER_HOST = step.host ?? ''
        }
        return { host: hostGiven ?? step.host, version: step.version, stop, isOurs }
      }
      tried.push(...(step.do === 'install' ? step.packages : ['start']))
      await act(step, facts.inContainer)
    }
  } catch (error) {
    await stop()
    throw error
  }
}

function mayStartByHand(): boolean {
  return process.platform === 'linux' && process.getuid?.() === 0 && !existsSync('/run/systemd/system')
}

async function act(step: Step & { do: 'start' | 'install' }, inContainer: boolean): Promise<void> {
  console.log(step.message)
  if (step.do === 'install') return aptInstall(step.packages)
  if (step.by === null) return startByHand(step.dockerd, inContainer)
  const [file = '', ...args] = step.by
  spawnSync(file, args, { stdio: ['ignore', 'ignore', 'inherit'], timeout: START_MS })
  // A service counts as started before its engine answers.
  await waitForEngine()
}

async function startByHand(dockerd: string, inContainer: boolean): Promise<void> {
  const logFile = logFileIn(ENGINE_FOLDER)
  console.log(`Its log: ${logFile}`)
  await startDaemon(dockerd, logFile, async () => (await askSocket(SYSTEM_SOCKET)).state === 'answers').catch((fault: Error) => {
    throw inContainer ? new Error(`${fault.message}\n${CONTAINER_HINT}`) : fault
  })
}

async function waitForEngine(): Promise<void> {
  const deadline = performance.now() + START_MS
  while ((await askSocket(SYSTEM_SOCKET)).state === 'silent' && performance.now() < deadline) await sleep(200)
}
