import { type Message, type Round, readRounds } from './conversation.ts'
import type { Move } from './script.ts'
import { quoted } from './scripts/steps.ts'
import { followUp, work } from './scripts/work.ts'

/**
 * The whole mind of the demo model: from the conversation so far to the next move. It keeps nothing between two requests: the script
 * runs again from its beginning over the recorded results, up to where the conversation ends.
 */
export function decide(messages: readonly Message[]): Move {
  const rounds = readRounds(messages)
  const current = rounds.at(-1)
  if (!current) return { text: 'I am the demo model. There is nothing to do: no task was given.', calls: [] }
  // There is no second thought in a script: whatever the agent's own loop says after its end, its account stands.
  if (current.answer) return { text: current.answer, calls: [] }
  const move = replay(current)
  // The last word begins with what was done, as a commit does, and names itself what it heard.
  const acknowledged = move.calls.length > 0 ? acknowledge(current) : ''
  return acknowledged ? { ...move, text: [acknowledged, move.text].filter(Boolean).join('\n\n') } : move
}

/** What was said since the last move, and what becomes of it. */
function acknowledge({ said, steps }: Round): string {
  const before = steps.slice(0, -1).flatMap((step) => step.said)
  const heard = steps.at(-1)?.said ?? []
  const lines = heard.map((text, index) => {
    const known = followUp(said, [...before, ...heard.slice(0, index)], text)
    const answer = known ? 'That comes next.' : 'I am the demo model, and this is beyond my script, so I go on as before.'
    return `I have your message: ${quoted(text)}. ${answer}`
  })
  return lines.join('\n')
}

function replay({ said, steps }: Round): Move {
  const heard: string[] = []
  const script = work(said, heard)
  let move = script.next()
  for (const step of steps) {
    heard.push(...step.said)
    move = script.next(step.results)
  }
  return move.value
}
