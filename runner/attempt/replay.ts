import { type EventData, NewEvent } from '../../contract/api/event.ts'
import { parseJson } from '../../contract/shared/json.ts'
import type { Spool } from '../river/spool.ts'
import type { Nesting } from './nesting.ts'

/** What an earlier process of this runner did of an attempt, as far as the spool tells it. */
export type Earlier = {
  /** How many bytes of the sandbox's output were read; 0: nothing of it. */
  outputEnd: number
  /** What its model calls cost, US dollars. */
  spentUsd: number
  /** Ids of the messages that the model has. */
  delivered: string[]
  /** In their order. */
  pushes: EventData<'branch.pushed'>[]
  /** Whether the spool has the end of the attempt. */
  isOver: boolean
}

const PAGE = 1_000

/** @param tree gets the state that it had after the spool's last event */
export async function replay(spool: Spool, tree: Nesting): Promise<Earlier> {
  const earlier: Earlier = { outputEnd: 0, spentUsd: 0, delivered: [], pushes: [], isOver: false }
  for (let from = 1; from <= spool.lastN(); ) {
    const entries = await spool.read(from, PAGE)
    for (const { body, output } of entries) {
      if (output) earlier.outputEnd = output.end
      // An earlier version may have written it. The coordinator checks it too, and one bad spool must not prevent a runner from starting.
      const event = NewEvent.safeParse(parseJson(body)).data
      if (event) take(earlier, event, tree)
    }
    from += entries.length
  }
  return earlier
}

function take(earlier: Earlier, event: NewEvent, tree: Nesting): void {
  tree.restore(event)
  if (event.type === 'usage.counted') earlier.spentUsd += event.data.costUsd
  else if (event.type === 'message.delivered') earlier.delivered.push(event.data.messageId)
  else if (event.type === 'branch.pushed') earlier.pushes.push(event.data)
  else if (event.type === 'attempt.ended') earlier.isOver = true
}
