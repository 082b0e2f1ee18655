/** The fields of `tool.ended` that this file reads. */
type Ended = { ok: boolean; output: string; note?: string | undefined; cutOff?: boolean | undefined }

/** @returns what a person reads of a call: its output, and the agent's note on how it ended */
export function readableOutput(ended: Pick<Ended, 'output' | 'note' | 'cutOff'>): string {
  const printed = isOld(ended) ? ended.output.replace(OLD_HEADING, '') : ended.output
  return ended.note ? [printed.trimEnd(), ended.note].filter(Boolean).join('\n') : printed
}

/** @returns whether a call was ended from outside (by a cancel, the time limit or a lost runner) rather than failing by itself */
export function wasCutOff(ended: Ended): boolean {
  return isOld(ended) ? !ended.ok && OLD_CUT_OFF.some((sentence) => sentence.test(ended.output)) : ended.cutOff === true
}

/** Events of earlier versions have no field for a cut-off, and a command's output begins with a heading for the model. */
function isOld({ cutOff }: Pick<Ended, 'cutOff'>): boolean {
  return cutOff === undefined
}

const OLD_HEADING = /^exit_code: .*\nwall_time: .*\n(?:\(no output\)\s*$)?/

/** By the agent's shell, the agent's loop, the runner and the coordinator, in this order. */
const OLD_CUT_OFF = [
  /^(?:(?:exit_code|wall_time|cwd is now): .*\n)*ended: the task was stopped(?:\n|$)/,
  /^The task was stopped before this call came to an end\.$/,
  /^The call was not run: the task was stopped\.$/,
  /^Cut off: /,
]

const CHARACTERS = new Intl.Segmenter('en')
const LONGEST_CHARACTER = 100

/**
 * The end of an output, because that is where results and errors are.
 * @returns at most so many UTF-16 units; the text begins between two characters as people see them, not within one
 */
export function lastText(text: string, maxUnits: number): string {
  const at = Math.max(0, text.length - maxUnits)
  const { index, segment } = CHARACTERS.segment(text.slice(0, at + LONGEST_CHARACTER)).containing(at) ?? {
    index: at,
    segment: '',
  }
  if (index === at) return text.slice(at)
  if (segment.length <= LONGEST_CHARACTER) return text.slice(index + segment.length)
  return text.slice(at).replace(/^[\udc00-\udfff]/, '')
}
