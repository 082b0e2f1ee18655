import type { Overview } from '../../contract/api/overview.ts'
import { readArguments } from '../input/arguments.ts'
import type { Context } from '../server/context.ts'
import { EXIT, Fault } from '../server/faults.ts'
import { clean } from '../show/layout.ts'

const USAGE = 'errand runner list | drain NAME [--hand-over] | resume NAME'

/** `errand runner`: the runners of the server, for its administrators. */
export async function runner([action, ...args]: readonly string[], context: Context): Promise<number> {
  if (action === 'list') return list(args, context)
  if (action === 'drain') return drain(args, context)
  if (action === 'resume') return resume(args, context)
  throw new Fault(EXIT.refused, `Usage: ${USAGE}`)
}

async function list(args: readonly string[], context: Context): Promise<number> {
  readArguments(args, {}, [], USAGE)
  for (const { name, slots, busy, connected, unwell, seenAt } of (await context.api().findOverview()).runners) {
    const state = connected ? (unwell ? unwell.reasonText : 'takes tasks') : `last seen ${seenAt}`
    context.print(`${clean(name)}  ${busy} of ${slots} busy  ${state}`)
  }
  return EXIT.completed
}

async function drain(args: readonly string[], context: Context): Promise<number> {
  const { given, values } = readArguments(args, { 'hand-over': { type: 'boolean' } }, ['NAME'], USAGE)
  const { id, name, busy } = await find(given[0] ?? '', context)
  const handOver = values['hand-over'] === true
  await context.api().changeRunner(id, { drain: handOver ? 'hand_over' : 'finish' })
  const rest = handOver ? 'hands over' : 'finishes'
  const work = busy === 0 ? 'It has none.' : `It ${rest} the ${busy} that it has; see: errand runner list`
  context.print(`${clean(name)} takes no new tasks. ${work}`)
  return EXIT.completed
}

async function resume(args: readonly string[], context: Context): Promise<number> {
  const { given } = readArguments(args, {}, ['NAME'], USAGE)
  const { id, name } = await find(given[0] ?? '', context)
  await context.api().changeRunner(id, { drain: null })
  context.print(`${clean(name)} takes tasks again.`)
  return EXIT.completed
}

/** @throws Fault unless just one runner has this name or id */
async function find(named: string, context: Context): Promise<Overview['runners'][number]> {
  const { runners } = await context.api().findOverview()
  const found = runners.filter(({ id, name }) => id === named || name === named)
  if (found.length === 1 && found[0]) return found[0]
  const known = runners.map(({ id, name }) => `${clean(name)} (${id})`).join(', ') || 'none'
  const what =
    found.length === 0
      ? `No runner is called ${clean(named)}.`
      : `${found.length} runners are called ${clean(named)}: use the id.`
  throw new Fault(EXIT.refused, `${what} Runners: ${known}`)
}
