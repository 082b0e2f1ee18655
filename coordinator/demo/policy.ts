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
  // There is no second thought in a script: whatever the agent's own loop says after its end, its account stands.
  if (current.answer) return { text: current.answer, calls: [] }
  const move = replay(work(current.said), current)
  const heard = current.steps.at(-1)?.said ?? []
  return heard.length === 0 ? move : { ...move, text: [acknowledge(heard), move.text].filter(Boolean).join('\n\n') }
}

const acknowledge = (heard: readonly string[]): string =>
  `I have your message: ${heard.map((text) => `“${text.length > 200 ? `${text.slice(0, 200)}…` : text}”`).join(', ')}. I am the demo model and follow a script, so I go on with it; send this as the next message, and it becomes a turn of its own.`

const replay = (script: Script, round: Round): Move => {
  let next = script.next()
  for (const { results } of round.steps) {
    if (next.done) break
    next = script.next(results)
  }
  return next.done ? { text: next.value, calls: [] } : next.value
}
