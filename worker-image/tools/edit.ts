import { ANSWER_BYTES, excerptOf, withinBytes } from './editing/excerpt.ts'
import { countOf, mergeLines, splitLines, usualEndOf } from './editing/lines.ts'
import { findLoosely } from './editing/match.ts'
import { nearMiss } from './editing/near-miss.ts'
import type { Files } from './files.ts'
import { type Encoding, encodingOf, isUtf8Text } from './reading/encoding.ts'
import { refused, succeeded, type Tool, type ToolResult } from './tool.ts'

const BOM = '\uFEFF'

type Input = { file_path: string; old_string: string; new_string: string; replace_all?: boolean }

export function createEdit(files: Files): Tool<Input> {
  return {
    name: 'edit',
    description: [
      'Replaces old_string with new_string in a file. old_string must match the file exactly, with its indentation but without the line',
      'numbers of read, and must occur only once: include more lines around it if it does not, or set replace_all. Line ends, and lines',
      'that are the same in old_string and new_string, stay as they are in the file.',
    ].join(' '),
    schema: {
      type: 'object',
      properties: {
        file_path: { type: 'string', description: 'Absolute, or relative to the repository.' },
        old_string: { type: 'string', description: 'The exact text to replace.' },
        new_string: { type: 'string', description: 'The text to put in its place; empty to delete.' },
        replace_all: { type: 'boolean', description: 'Replace every occurrence; default false.' },
      },
      required: ['file_path', 'old_string', 'new_string'],
      additionalProperties: false,
    },
    title: ({ file_path }) => `Edit ${file_path}`,
    run: async (input) => {
      const path = files.resolve(input.file_path)
      const result = await edit(files, path, input)
      return { ...result, text: withinBytes(result.text, ANSWER_BYTES) }
    },
  }
}

async function edit(files: Files, path: string, { old_string, new_string, replace_all = false }: Input): Promise<ToolResult> {
  const bytes = await files.load(path)
  if (old_string === '') return refused('old_string is empty. To create a file or fill an empty one, use write.')
  const [wanted, replacement] = [plainEnds(old_string), plainEnds(new_string)]
  if (wanted === replacement)
    return refused(
      old_string === new_string
        ? 'old_string and new_string are the same: nothing would change.'
        : 'old_string and new_string differ only in their line ends, which edit leaves alone. Change line ends with bash (sed, unix2dos).',
    )
  const encoding = encodingOf(bytes)
  const problem = encodingProblem(path, encoding, old_string + new_string)
  if (encoding === null || problem) return refused(problem ?? '')
  const whole = encoding.decode(bytes)
  const mark = whole.startsWith(BOM) ? BOM : ''
  const change = replaced(whole.slice(mark.length), wanted, replacement, replace_all)
  if (!change.ok) return refused(`${path}: ${change.problem}`)
  await files.save(path, encoding.encode(mark + change.raw), { seen: files.staleness(path, bytes) === null })
  const kept = isUtf8Text(encoding) ? '' : ` The file is not UTF-8; it stays ${encoding.name}.`
  const heading = `Edited ${path}${change.note}.${kept} It now reads:\n`
  return succeeded(heading + excerptOf(change.text, change.start, change.end, ANSWER_BYTES - Buffer.byteLength(heading)))
}

/** @returns why a file of this encoding is not changed, or null */
function encodingProblem(path: string, encoding: Encoding | null, texts: string): string | null {
  if (encoding === null) return `${path} is a binary file. Change it with bash.`
  if (isUtf8Text(encoding)) return null
  const fits = encoding.writable && encoding.decode(encoding.encode(texts)) === texts
  if (fits) return null
  return `${path} is not UTF-8 (it looks like ${encoding.name}), and edit would destroy it. Change it with bash: python3 with encoding="${encoding.name.toLowerCase()}", or iconv -f ${encoding.name} -t UTF-8 if it is to become UTF-8.`
}

type Change = { ok: true; raw: string; note: string; text: string; start: number; end: number } | { ok: false; problem: string }

/** Literal: no character of `replacement` has a special meaning. */
export function replaced(raw: string, wanted: string, replacement: string, all: boolean): Change {
  // Matched without CR; the file's own line ends come back when the lines are merged.
  const text = plainEnds(raw)
  const starts = placesOf(text, wanted)
  if (starts.length > 1 && !all) return { ok: false, problem: tooMany(text, starts) }
  if (starts.length > 0) {
    const [asked, given] = [wanted.split('\n'), replacement.split('\n')]
    const note = starts.length === 1 ? '' : ` (${starts.length} places; the first is shown)`
    return spliced(
      raw,
      starts.map((start) => ({ start, end: start + wanted.length })),
      asked,
      given,
      note,
    )
  }
  return (
    replacedLoosely(raw, text, wanted, replacement) ?? {
      ok: false,
      problem: `old_string was not found. ${nearMiss(text, wanted)}`,
    }
  )
}

function replacedLoosely(raw: string, text: string, wanted: string, replacement: string): Change | null {
  const lines = text.split('\n')
  const whole = wanted.endsWith('\n')
  const body = whole ? replacement.replace(/\n$/, '') : replacement
  const loose = findLoosely(lines, wanted.replace(/\n$/, '').split('\n'), body.split('\n'))
  if (!loose) return null
  const start = lines.slice(0, loose.first).reduce((sum, line) => sum + line.length + 1, 0)
  const end = lines.slice(loose.first, loose.first + loose.asked.length).reduce((sum, line) => sum + line.length + 1, start - 1)
  const note = `; old_string was not exact: it differed in ${loose.difference}. Only this passage matched, and it was replaced`
  return spliced(raw, [{ start, end }], loose.asked, loose.given, note)
}

/** @param spans in order, places in the text without CR */
function spliced(
  raw: string,
  spans: ReadonlyArray<{ start: number; end: number }>,
  asked: string[],
  given: string[],
  note: string,
): Change {
  const usualEnd = usualEndOf(raw)
  const place = placesInRaw(raw)
  const parts: string[] = []
  let done = 0
  let first = { start: 0, end: 0 }
  for (const [index, span] of spans.entries()) {
    const [start, end] = [place(span.start), place(span.end)]
    const lines = splitLines(raw.slice(start, end))
    const last = lines.at(-1)
    if (last) last.end = endAfter(raw, end)
    const merged = mergeLines(lines, asked, given, usualEnd)
    parts.push(raw.slice(done, start), merged)
    if (index === 0) first = { start: span.start, end: span.start + plainEnds(merged).length }
    done = end
  }
  const changed = parts.join('') + raw.slice(done)
  return { ok: true, raw: changed, note, text: plainEnds(changed), ...first }
}

/** @returns the function from a place in the text without CR to one in the file; call it with rising places */
function placesInRaw(raw: string): (at: number) => number {
  let count = 0
  let next = raw.indexOf('\r\n')
  return (at) => {
    while (next >= 0 && next - count < at) {
      count += 1
      next = raw.indexOf('\r\n', next + 2)
    }
    return at + count
  }
}

/** @returns how the line that `at` is in ends */
function endAfter(raw: string, at: number): string {
  const end = raw.indexOf('\n', at)
  if (end < 0) return ''
  return end > at && raw[end - 1] === '\r' ? '\r\n' : '\n'
}

function placesOf(text: string, wanted: string): number[] {
  const places: number[] = []
  for (let at = text.indexOf(wanted); at >= 0; at = text.indexOf(wanted, at + wanted.length)) places.push(at)
  return places
}

const MOST_LINES_NAMED = 20

function tooMany(text: string, starts: readonly number[]): string {
  const lines: number[] = []
  let line = 1
  let at = 0
  for (const start of starts.slice(0, MOST_LINES_NAMED)) {
    line += countOf(text.slice(at, start), '\n')
    at = start
    lines.push(line)
  }
  const more = starts.length > MOST_LINES_NAMED ? ' and others' : ''
  return `old_string occurs ${starts.length} times, at lines ${lines.join(', ')}${more}. Include lines around the one you mean, or set replace_all.`
}

function plainEnds(text: string): string {
  return text.includes('\r\n') ? text.replaceAll('\r\n', '\n') : text
}
