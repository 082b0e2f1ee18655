import type { EventData } from '../../../../contract/api/event.ts'
import { lastText, readableOutput } from '../../../../contract/api/tool-output.ts'
import { visibleMarks } from './format.ts'

export type Preview = { text: string; linesAbove: number; bytes: number; cut: boolean }

const MAX_LINES = 20
const MAX_CHARS = 4_000

/** Stack frames of the runtime itself are noise. */
const FRAME = /^\s+at .*(?:\(|\s)(?:node:|\S*\/node_modules\/)/

type Previewed = Pick<EventData<'tool.ended'>, 'output' | 'outputBytes' | 'note' | 'cutOff'>

/** The end of an output, at most 20 lines and 4,000 characters: that is where results and errors are. `cut`: there is more of it. */
export function previewOf(ended: Previewed): Preview {
  const { outputBytes } = ended
  const whole = visibleMarks(readableOutput(ended))
    .trimEnd()
    .replace(/^(?:[ \t]*\r?\n)+/, '')
  const lines = whole === '' ? [] : whole.split('\n').filter((line) => !FRAME.test(line))
  const last = lines.slice(-MAX_LINES).join('\n')
  const text = lastText(last, MAX_CHARS)
  const linesAbove = lines.length - (text === '' ? 0 : text.split('\n').length)
  return { text, linesAbove, bytes: outputBytes, cut: text.length < whole.length || outputBytes > whole.length * 3 + 200 }
}
