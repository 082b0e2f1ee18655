import type { Delta } from '../contract/api/event.ts'

/** The newest output of a command that is still running. `end`: how many characters it has printed, as far as they were shown. */
export type LiveOutput = { attempt: number; callId: string; end: number; text: string }

/** Enough for a screen; the whole output comes with the end of the call. */
const KEPT_CHARS = 4_000

/** Joins a piece to the output that it continues. Pieces may be lost on the way: one that does not follow starts over. */
export function addOutput(before: LiveOutput | null, { attempt, callId = '', offset, text }: Delta): LiveOutput {
  const follows = before?.attempt === attempt && before.callId === callId && before.end === offset
  return { attempt, callId, end: offset + text.length, text: `${follows ? before.text : ''}${text}`.slice(-KEPT_CHARS) }
}

/** @returns the last lines, without empty ones at the end; a line that a cut began is left out if others follow */
export function lastLines({ text, end }: LiveOutput, most: number): string[] {
  const lines = text.trimEnd().split('\n')
  const whole = end > text.length && lines.length > 1 ? lines.slice(1) : lines
  return whole.slice(-most)
}
