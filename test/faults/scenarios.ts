import type { Hurt } from './hurts/hurt.ts'
import * as processes from './hurts/processes.ts'
import * as ways from './hurts/ways.ts'

/** A way to die: what Errand promises then, what is done, and what must hold afterwards beside what always must. */
export type Scenario = {
  name: string
  promises: string
  hurt: Hurt
  /** Whether a second attempt would break the promise. */
  oneAttempt: boolean
  /** It waits for leases to run out: more than a minute. */
  slow?: boolean
}

export const SCENARIOS: readonly Scenario[] = [
  {
    name: 'kill-runner',
    promises: 'A runner that is killed and comes back within a lease goes on with the same attempts.',
    hurt: processes.killRunner,
    oneAttempt: true,
  },
  {
    name: 'kill-runners',
    promises: 'So do all runners that are killed at once.',
    hurt: processes.killRunners,
    oneAttempt: true,
  },
  {
    name: 'kill-coordinator',
    promises: 'A coordinator that is killed costs a pause, and no task, event or attempt.',
    hurt: processes.killCoordinator,
    oneAttempt: true,
  },
  {
    name: 'kill-redis',
    promises: 'A Redis that is killed and has its file costs a pause.',
    hurt: processes.killRedis,
    oneAttempt: true,
  },
  {
    name: 'kill-redis-forgetful',
    promises: 'A Redis that comes back empty costs a pause.',
    hurt: processes.killRedisForgetful,
    oneAttempt: true,
  },
  { name: 'flush-redis', promises: 'FLUSHALL costs a moment.', hurt: ways.flushRedis, oneAttempt: true },
  {
    name: 'fill-redis',
    promises: 'A full Redis stops the work for as long as it is full.',
    hurt: ways.fillRedis,
    oneAttempt: true,
  },
  {
    name: 'deploy-in-turn',
    promises: 'A deploy of each part in turn interrupts no attempt.',
    hurt: processes.deployInTurn,
    oneAttempt: true,
  },
  {
    name: 'deploy-at-once',
    promises: 'A deploy of all parts at once interrupts no attempt.',
    hurt: processes.deployAtOnce,
    oneAttempt: true,
  },
  {
    name: 'kill-everything',
    promises: 'Every process killed at once, Redis too: the containers run on, and the same attempts go on.',
    hurt: processes.killEverything,
    oneAttempt: true,
  },
  {
    name: 'cut-power',
    promises: 'When the containers die with the processes, each task begins again and ends once.',
    hurt: processes.cutPower,
    oneAttempt: false,
  },
  {
    name: 'kill-sandbox',
    promises: 'A container that dies costs an attempt, and not the task.',
    hurt: processes.killSandbox,
    oneAttempt: false,
  },
  {
    name: 'drain-runner',
    promises: 'A runner that leaves for good hands its tasks over.',
    hurt: processes.drainRunner,
    oneAttempt: false,
  },
  {
    name: 'cut-coordinator',
    promises: 'A runner without the coordinator works on for a lease.',
    hurt: ways.cutCoordinator,
    oneAttempt: true,
  },
  { name: 'cut-redis', promises: 'A runner without Redis works on, and sends later.', hurt: ways.cutRedis, oneAttempt: true },
  { name: 'cut-engine', promises: 'A runner without the engine waits for it.', hurt: ways.cutEngine, oneAttempt: true },
  { name: 'cut-client', promises: 'A client that was away has every event once.', hurt: ways.cutClient, oneAttempt: true },
  { name: 'cancel', promises: 'A cancel that was accepted wins.', hurt: ways.cancelTasks, oneAttempt: true },
  { name: 'same-key', promises: 'One idempotency key makes one task.', hurt: ways.sendFiftyTimes, oneAttempt: true },
  {
    name: 'lose-runner',
    promises: 'A runner that is gone for good with its containers: its tasks go on elsewhere.',
    hurt: processes.loseRunner,
    oneAttempt: false,
    slow: true,
  },
  {
    name: 'pause-runner',
    promises: 'A runner that stood still for three leases has no effect when it wakes up, and its containers go.',
    hurt: processes.pauseRunner,
    oneAttempt: false,
    slow: true,
  },
]

export function scenarioNamed(name: string): Scenario {
  const found = SCENARIOS.find((scenario) => scenario.name === name)
  if (!found) throw new Error(`There is no scenario ${name}. The scenarios: ${SCENARIOS.map((one) => one.name).join(', ')}.`)
  return found
}
