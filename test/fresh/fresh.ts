import { mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { execa } from 'execa'
import { findTool } from '../../setup/machine/tools.ts'
import { waitFor } from '../support/checks/wait.ts'
import { type Machine, openMachine } from './machine.ts'
import { findCertificates, makeDebian, makeNode, networkVariables, type Origin } from './root.ts'
import { TRIALS } from './trials.ts'

const HELP = `npm run fresh -- [--client none|stray|both] [--node VERSION] [--mirror URL] [start] [ci] [test [files…]]

Makes a minimal Debian with Node, npm and git, clones the last commit into it, and runs there, in namespaces of its own:
  start   npm start until its link, npm run demo until its branch is pushed, and npm start once more
  ci      .ci/run
  test    npm test; what follows goes to Jest
Each on a machine of its own, without a docker command and once more with a stray one (this machine's) that has no engine.
Without words: start.`

type Planned = Readonly<{ name: string; words: readonly string[]; stray: boolean }>

const CLIENTS: Readonly<Record<string, readonly boolean[]>> = { none: [false], stray: [true], both: [false, true] }

async function main(interrupted: AbortSignal): Promise<number> {
  const options = {
    client: { type: 'string' },
    node: { type: 'string' },
    mirror: { type: 'string' },
    help: { type: 'boolean' },
  } as const
  const { values, positionals } = parseArgs({ options, allowPositionals: true })
  const planned = plan(positionals, CLIENTS[values.client ?? 'both'] ?? [])
  if (values.help || planned.length === 0) {
    console.log(HELP)
    return values.help ? 0 : 2
  }
  // Not /tmp, which may be memory: an engine keeps its data there.
  const folder = await mkdtemp('/var/tmp/errand-fresh-')
  try {
    const origin = await makeOrigin(folder, values.node ?? '20', values.mirror ?? null, interrupted)
    const results: string[] = []
    let failures = 0
    for (const trial of planned) {
      if (interrupted.aborted) break
      const { measured, fault } = await tryOut(join(folder, 'root'), trial, origin, interrupted)
      if (fault) failures += 1
      const what = `${trial.name}, ${trial.stray ? 'with a stray docker command' : 'without a docker command'}`
      results.push(`${what}: ${fault ?? 'passed'}`, ...measured.map((line) => `  ${line}`))
    }
    console.log(`\n${results.join('\n')}`)
    return failures > 0 || interrupted.aborted ? 1 : 0
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** @returns none when a word is no trial */
function plan(words: readonly string[], clients: readonly boolean[]): Planned[] {
  const names = words.length > 0 ? words : ['start']
  const test = names.indexOf('test')
  const trials = test < 0 ? names : names.slice(0, test + 1)
  if (!trials.every((name) => Object.hasOwn(TRIALS, name))) return []
  const ofTest = test < 0 ? [] : names.slice(test + 1)
  return clients.flatMap((stray) => trials.map((name) => ({ name, stray, words: name === 'test' ? ofTest : [] })))
}

async function makeOrigin(folder: string, node: string, mirror: string | null, interrupted: AbortSignal): Promise<Origin> {
  const repository = join(import.meta.dirname, '../..')
  if ((await execa('git', ['status', '--porcelain'], { cwd: repository })).stdout)
    console.log('What is not committed is not tried.')
  console.log('Making a Debian and a Node to start from (a minute or two) …')
  const [debian, madeNode] = await Promise.all([makeDebian(folder, mirror, interrupted), makeNode(folder, node)])
  return { repository, debian, node: madeNode, certificates: await findCertificates() }
}

/** One trial on a machine of its own, which is gone afterwards. */
async function tryOut(root: string, trial: Planned, origin: Origin, interrupted: AbortSignal) {
  const measured: string[] = []
  const strayClient = trial.stray ? findTool(['docker']) : null
  if (trial.stray && !strayClient) return { measured, fault: 'no docker command is here to be put in' }
  const since = performance.now()
  const write = (line: string) => console.log(`${String(Math.round((performance.now() - since) / 1000)).padStart(5)} s | ${line}`)
  let machine: Machine | null = null
  try {
    machine = await openMachine(root, origin, strayClient, await networkVariables(origin.certificates), write)
    await Promise.race([TRIALS[trial.name]?.(machine, trial.words, measured), whenAborted(interrupted)])
    await nothingLeft(machine)
    return { measured, fault: null }
  } catch (error) {
    return { measured, fault: error instanceof Error ? error.message : String(error) }
  } finally {
    await machine?.close()
  }
}

function whenAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    const stop = () => reject(new Error('interrupted'))
    if (signal.aborted) stop()
    signal.addEventListener('abort', stop, { once: true })
  })
}

/** What a trial started it must have stopped. */
async function nothingLeft(machine: Machine): Promise<void> {
  let left: string[] = []
  await waitFor('nothing', async () => {
    left = await machine.running()
    return left.length === 0
  }).catch(() => {
    throw new Error(`it left running: ${left.join('; ')}`)
  })
}

const interrupted = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => interrupted.abort())
try {
  process.exitCode = await main(interrupted.signal)
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
}
