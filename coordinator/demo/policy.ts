import { type Call, type Message, type Result, type Round, readRounds } from './conversation.ts'
import { work } from './scripts/work.ts'

/** What the demo model says and does next. Without calls it is the end of its work. */
export type Move = { thinking?: string; text: string; calls: Call[] }

/** A piece of work as it reads: each move is answered with the results of its calls; the returned text is the final word. */
export type Script<T = string> = Generator<Move, T, Result[]>

/**
 * The whole mind of the demo model: from the conversation so far to the next move. It keeps nothing between two requests: the script
 * runs again from its beginning over the recorded results, up to where the conversation ends.
 */
export const decide = (messages: readonly Message[]): Move => {
  const rounds = readRounds(messages)
  const current = rounds.at(-1)
  if (!current) return { text: 'I am the demo model. There is nothing to do: no task was given.', calls: [] }
  // There is no second thought in a script: whatever is said after its end, its account stands.
  const account = rounds.find((round) => round.answer)?.answer
  return account ? { text: account, calls: [] } : replay(work(current.said), current)
}

const replay = (script: Script, round: Round): Move => {
  let next = script.next()
  for (const { results } of round.steps) {
    if (next.done) break
    next = script.next(results)
  }
  return next.done ? { text: next.value, calls: [] } : next.value
}
