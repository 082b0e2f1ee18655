import { waitFor } from '../support/checks/wait.ts'
import type { Machine, Run } from './machine.ts'

/** What is tried on a fresh machine. Each tells what it measured, and throws what went wrong. */
export type Trial = (machine: Machine, words: readonly string[], measured: string[]) => Promise<void>

const MINUTE_MS = 60_000
const LINK = /\/auth\/\S+\?code=/
const COUNT = /^\d+ passed, \d+ failed$/

const start: Trial = async (machine, _words, measured) => {
  const first = await reachLink(machine, 20 * MINUTE_MS)
  measured.push(`npm start: its link after ${first.seconds} s, never silent for more than ${first.longestSilence} s`)
  const demo = machine.run('npm run demo')
  const since = performance.now()
  await end('npm run demo', demo, 10 * MINUTE_MS)
  const pushed = demo.lines.find((line) => /pushed \S*errand\//.test(line))
  if (!pushed) throw new Error('npm run demo pushed no branch.')
  measured.push(`npm run demo: ${pushed.trim()}, after ${secondsSince(since)} s`)
  await stop(machine, first.run)
  const second = await reachLink(machine, 3 * MINUTE_MS)
  measured.push(`a second npm start: its link after ${second.seconds} s`)
  await stop(machine, second.run)
}

const test: Trial = async (machine, words, measured) => {
  await counted(machine, words.length > 0 ? `npm test -- ${words.join(' ')}` : 'npm test', measured)
}

const ci: Trial = async (machine, _words, measured) => {
  await counted(machine, '.ci/run', measured)
}

export const TRIALS: Readonly<Record<string, Trial>> = { start, test, ci }

async function reachLink(machine: Machine, timeoutMs: number) {
  const run = machine.run('npm start')
  const since = performance.now()
  let seen = 0
  let spoke = since
  let longestMs = 0
  await waitFor(
    'the link',
    () => {
      if (run.lines.length > seen) {
        longestMs = Math.max(longestMs, performance.now() - spoke)
        spoke = performance.now()
        seen = run.lines.length
      }
      return run.lines.some((line) => LINK.test(line)) || run.code() !== null
    },
    timeoutMs,
  )
  if (run.code() !== null) throw new Error(`npm start ended with ${run.code()}.`)
  return { run, seconds: secondsSince(since), longestSilence: Math.round(longestMs / 1000) }
}

async function stop(machine: Machine, run: Run): Promise<void> {
  machine.run(`kill -TERM $(node -p 'JSON.parse(fs.readFileSync(".errand/server.json")).pids.start')`)
  await end('npm start, when it was stopped,', run, 2 * MINUTE_MS)
}

async function counted(machine: Machine, command: string, measured: string[]): Promise<void> {
  const run = machine.run(command)
  const since = performance.now()
  await waitFor('its end', () => run.code() !== null, 90 * MINUTE_MS, 200)
  measured.push(
    `${command}: ${run.lines.filter((line) => COUNT.test(line)).at(-1) ?? 'counted nothing'}, in ${secondsSince(since)} s`,
  )
  if (run.code() !== 0) throw new Error(`${command} ended with ${run.code()}.`)
}

async function end(what: string, run: Run, timeoutMs: number): Promise<void> {
  await waitFor(`the end of ${what}`, () => run.code() !== null, timeoutMs)
  if (run.code() !== 0) throw new Error(`${what} ended with ${run.code()}.`)
}

function secondsSince(since: number): number {
  return Math.round((performance.now() - since) / 1000)
}
