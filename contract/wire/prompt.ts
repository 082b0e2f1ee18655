/**
 * The headings that the agent puts above a person's words in the conversation with the model. Everything else in a user message is the
 * agent's own.
 */
const HEADINGS = {
  task: 'The task',
  next: 'The next message',
  steer: 'A message from the person, sent while you work',
} as const
export type Heading = keyof typeof HEADINGS

/** @returns the person's text below its heading */
export function headed(heading: Heading, text: string): string {
  return `${HEADINGS[heading]}:\n\n${text}`
}

/** Stands between a prompt and the numbered messages of turns whose conversation was lost. */
export const MISSED = 'Earlier messages to you, in turns that were cut off. What those turns pushed is on the branch:'

/** A person's words in the conversation with the model. */
export type Said = { heading: Heading; text: string }

/** @returns the person's text and its heading; null for the agent's own text */
export function unheaded(block: string): Said | null {
  for (const heading of Object.keys(HEADINGS) as Heading[]) {
    const start = headed(heading, '')
    if (block.startsWith(start)) return { heading, text: block.slice(start.length) }
  }
  return null
}
