import { extname } from 'node:path'
import type { Files } from './files.ts'
import { encodingOf, isUtf8Text } from './reading/encoding.ts'
import { readImage } from './reading/image.ts'
import { notebookText } from './reading/notebook.ts'
import { pdfText } from './reading/pdf.ts'
import { refused, succeeded, type Tool, type ToolResult } from './tool.ts'

type Input = { file_path: string; offset?: number; limit?: number }

const DEFAULT_LINES = 2000
/** With its number, a line stays within what the model gets of any line. */
const LINE_CHARS = 1900
const OUTPUT_CHARS = 50_000

/** @param environment of the programs that read a document */
export function createRead(files: Files, environment: Readonly<Record<string, string>>): Tool<Input> {
  return {
    name: 'read',
    description: [
      'Reads a file. Each line comes as its number, a tab, and the line; the number is not part of the file.',
      `At most ${DEFAULT_LINES} lines at a time: continue with offset. Images (png, jpeg, gif, webp) are shown; PDFs and notebooks come as text.`,
      'A file must be read before it is overwritten.',
    ].join(' '),
    schema: {
      type: 'object',
      properties: {
        file_path: { type: 'string', description: 'Absolute, or relative to the repository.' },
        offset: { type: 'number', description: 'Number of the first line; default 1.' },
        limit: { type: 'number', description: `How many lines; default ${DEFAULT_LINES}.` },
      },
      required: ['file_path'],
      additionalProperties: false,
    },
    title: ({ file_path, offset }) => `Read ${file_path}${offset ? ` from line ${offset}` : ''}`,
    run: async (input, signal) => {
      const path = files.resolve(input.file_path)
      const bytes = await files.load(path)
      const image = readImage(path, bytes)
      if (image) return image
      if (bytes.subarray(0, 5).toString('latin1') === '%PDF-')
        return view(await pdfText(path, environment, signal), input, [
          `${path} is a PDF; this is its text, and the numbers are those of this text.`,
        ])
      return readText(files, path, bytes, input)
    },
  }
}

function readText(files: Files, path: string, bytes: Buffer, input: Input): ToolResult {
  const encoding = encodingOf(bytes)
  if (encoding === null) return refused(`${path} is a binary file (${bytes.length} bytes). Look at it with bash: file, xxd.`)
  files.remember(path, bytes)
  const text = encoding.decode(bytes).replace(/^\uFEFF/, '')
  const notebook = extname(path).toLowerCase() === '.ipynb' ? notebookText(text) : null
  if (notebook !== null)
    return view(notebook, input, [
      `${path} is a notebook; this is its text, and the numbers are those of this text. Change it with bash (python3 and json), or edit its JSON.`,
    ])
  return view(text, input, [
    ...(isUtf8Text(encoding) ? [] : [`${path} is not UTF-8. It looks like ${encoding.name}, and is shown as that.`]),
    ...lineEndNote(text),
  ])
}

function lineEndNote(text: string): string[] {
  const crlf = text.split('\r\n').length - 1
  if (crlf === 0) return []
  const all = text.split('\n').length - 1
  return [
    crlf === all
      ? 'Its lines end in CRLF; edit and write keep that.'
      : 'Its lines end in LF and in CRLF; edit and write keep that.',
  ]
}

/** @param notes about the file, above its lines */
function view(text: string, { offset, limit }: Input, notes: readonly string[]): ToolResult {
  const first = Math.max(1, Math.trunc(offset ?? 1))
  const shown = numbered(text.replaceAll('\r\n', '\n'), first, Math.max(1, Math.trunc(limit ?? DEFAULT_LINES)))
  return succeeded([...notes.map((note) => `(${note})`), shown].join('\n'))
}

function numbered(text: string, first: number, limit: number): string {
  if (text === '') return '(the file is empty)'
  const lines = text.split('\n')
  // The newline at the end of a file begins no line.
  if (lines.at(-1) === '') lines.pop()
  if (first > lines.length) return `(the file has ${lines.length} lines; there is no line ${first})`
  const shown: string[] = []
  let chars = 0
  for (const [index, line] of lines.slice(first - 1, first - 1 + limit).entries()) {
    const row = `${String(first + index).padStart(6)}\t${cutLine(line)}`
    chars += row.length + 1
    if (chars > OUTPUT_CHARS) break
    shown.push(row)
  }
  const next = first + shown.length
  return next > lines.length
    ? shown.join('\n')
    : `${shown.join('\n')}\n(lines ${first} to ${next - 1} of ${lines.length}; continue with offset ${next})`
}

/** Leaves room for the number and the mark, so that the whole row keeps the bound. */
function cutLine(line: string): string {
  const most = LINE_CHARS - 60
  return line.length <= most ? line : `${line.slice(0, most)}… (cut: ${line.length - most} more characters in this line)`
}
