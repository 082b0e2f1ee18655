/**
 * Kills, restarts, pauses, cuts and fills everything that Errand is made of while tasks are under way, and asks one oracle whether anything was
 * lost, doubled or left. `npm run test:faults` prepares the machine and runs it.
 */
import { mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { type Outcome, reportOf } from './report.ts'
import { type Run, runScenario } from './run-scenario.ts'
import { SCENARIOS, type Scenario, scenarioNamed } from './scenarios.ts'
import { soak } from './soak.ts'
import { startWorld, type World } from './world.ts'

const HELP = `npm run test:faults -- [--seed 1] [--times 1] [--only NAME]… [--soak 10m] [--report FILE]

  --seed    where chance begins; run n of a scenario has seed + n - 1. A run that fails is repeated with its own seed
  --times   runs of each scenario
  --only    this scenario alone; may be given several times
  --soak    mixes all faults over a stream of tasks for so long (90s, 10m, 1h)
  --report  writes the report there, as Markdown
The scenarios: ${SCENARIOS.map(({ name }) => name).join(', ')}
Clocks that are an hour off are not among them: they need libfaketime.`

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      seed: { type: 'string' },
      times: { type: 'string', default: '1' },
      only: { type: 'string', multiple: true },
      soak: { type: 'string' },
      report: { type: 'string' },
      help: { type: 'boolean' },
    },
  })
  const seed = Number(values.seed ?? Date.now() % 1_000_000)
  const times = Number(values.times)
  const seconds = values.soak === undefined ? null : secondsIn(values.soak)
  if (values.help || !Number.isInteger(seed) || !(times >= 1) || Number.isNaN(seconds)) {
    console.log(HELP)
    return values.help ? 0 : 2
  }
  const scenarios = values.only?.map(scenarioNamed) ?? SCENARIOS
  console.log(`Seed ${seed}`)
  const world = await startWorld()
  // Ctrl-C ends what was started: processes that are stopped or cut off would stay.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.once(signal, () => void world.stop().finally(() => process.exit(130)))
  try {
    const outcome = seconds === null ? await runAll(world, scenarios, { seed, times }) : await runSoak(world, seed, seconds)
    const report = reportOf(outcome)
    console.log(`\n${report}`)
    if (values.report) await writeFile(values.report, report)
    return outcome.violations.length === 0 ? 0 : 1
  } finally {
    await world.stop()
  }
}

async function runAll(
  world: World,
  scenarios: readonly Scenario[],
  { seed, times }: { seed: number; times: number },
): Promise<Outcome> {
  const begun = performance.now()
  const runs: Run[] = []
  for (const scenario of scenarios) {
    let well = 0
    for (let count = 0; count < times; count++) {
      const run = await runScenario(world, scenario, seed + count)
      runs.push(run)
      if (run.violations.length === 0) well += 1
      await tell(world, run)
    }
    console.log(`${scenario.name}: ${well} of ${times} well`)
  }
  const faults = new Map(
    scenarios.map(({ name }) => {
      const own = runs.filter(({ scenario }) => scenario === name)
      return [name, { times: own.length, silences: own.flatMap(({ silences }) => silences) }]
    }),
  )
  return {
    title: 'Faults, one at a time',
    seed,
    seconds: (performance.now() - begun) / 1000,
    faults,
    tasks: runs.flatMap(({ tasks }) => tasks),
    violations: runs.flatMap(({ violations, scenario, seed }) => violations.map((text) => `${scenario}, seed ${seed}: ${text}`)),
  }
}

async function runSoak(world: World, seed: number, seconds: number): Promise<Outcome> {
  const outcome = await soak(world, { seed, seconds, print: (line) => console.log(line) })
  if (outcome.violations.length > 0) await keepLogs(world, world.notes)
  return outcome
}

async function tell(world: World, { scenario, seed, seconds, violations, notes }: Run): Promise<void> {
  console.log(`  ${scenario}, seed ${seed}: ${violations.length === 0 ? 'well' : 'BROKEN'} in ${seconds.toFixed(1)} s`)
  if (violations.length === 0) return
  for (const text of violations) console.log(`    ${text}`)
  await keepLogs(world, notes)
}

/** Keeps what was done and what the processes logged, for whoever looks for the cause. */
async function keepLogs({ system, runners }: World, notes: readonly string[]): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'errand-faults-'))
  await writeFile(join(folder, 'timeline.txt'), `${notes.join('\n')}\n`)
  await writeFile(join(folder, 'coordinator.log'), system.coordinator.log())
  for (const { name, process } of runners) await writeFile(join(folder, `${name}.log`), process.log())
  console.log(`    The timeline and the logs are in ${folder}`)
}

function secondsIn(text: string): number {
  const [, number, unit = 's'] = /^(\d+)(s|m|h)?$/.exec(text) ?? []
  return Number(number) * { s: 1, m: 60, h: 3600 }[unit as 's' | 'm' | 'h']
}

process.exitCode = await main()
