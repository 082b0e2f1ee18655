import { type Message, type Round, readRounds } from './conversation.ts'
import type { Move } from './script.ts'
import { quoted } from './scripts/steps.ts'
import { followUp, work } from './scripts/work.ts'

/**
 * Decides the next move of the demo model from the conversation so far. It keeps no state between requests: the script runs again from its
 * beginning over the recorded results, up to the end of the conversation.
 */
export function decide(messages: readonly Message[]): Move {
  const current = readRounds(messages).at(-1)
  if (!current) return { text: 'I am the demo model. There is nothing to do: no task was given.', calls: [] }
  // A script does not change its mind: whatever the agent's loop asks after the end, the answer stays the same.
  if (current.answer) return { text: current.answer, calls: [] }
  const move = replay(current)
  // The final answer starts with what was done, as a commit message does, and mentions the messages it got.
  const acknowledged = move.calls.length > 0 ? acknowledge(current) : ''
  return acknowledged ? { ...move, text: [acknowledged, move.text].filter(Boolean).join('\n\n') } : move
}

/** Answers the messages that came since the last move. */
function acknowledge({ message, steps }: Round): string {
  const before = steps.slice(0, -1).flatMap((step) => step.heard)
  const heard = steps.at(-1)?.heard ?? []
  const lines = heard.map((text, index) => {
    const known = followUp(message, [...before, ...heard.slice(0, index)], text)
    const answer = known ? 'That comes next.' : 'I am the demo model, and this is beyond my script, so I go on as before.'
    return `I have your message: ${quoted(text)}. ${answer}`
  })
  return lines.join('\n')
}

function replay({ message, steps }: Round): Move {
  const script = work(message)
  let move = script.next()
  for (const step of steps) move = script.next(step)
  return move.value
}
