import { extname } from 'node:path'
import type { Files } from './files.ts'
import { type ImageBlock, refused, succeeded, type Tool } from './tool.ts'

type Input = { file_path: string; offset?: number; limit?: number }

const DEFAULT_LINES = 2000
const LINE_CHARS = 2000
const OUTPUT_CHARS = 50_000
/** The model API's bound on one image is 5 MB as base64. */
const IMAGE_BYTES = 3_700_000
const IMAGES: Readonly<Record<string, ImageBlock['source']['media_type']>> = {
  '.png': 'image/png',
  '.jpg': 'image/jpeg',
  '.jpeg': 'image/jpeg',
  '.gif': 'image/gif',
  '.webp': 'image/webp',
}

export function createRead(files: Files): Tool<Input> {
  return {
    name: 'read',
    description: [
      'Reads a file. Each line comes as its number, a tab, and the line; the number is not part of the file.',
      `At most ${DEFAULT_LINES} lines at a time: continue with offset. Images (png, jpeg, gif, webp) are shown.`,
      'A file must be read before it is edited or overwritten.',
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
    run: async ({ file_path, offset, limit }) => {
      const path = files.resolve(file_path)
      const bytes = await files.load(path)
      const media_type = IMAGES[extname(path).toLowerCase()]
      if (media_type && bytes.length <= IMAGE_BYTES)
        return {
          ...succeeded(`${path}: an image`),
          image: { type: 'image', source: { type: 'base64', media_type, data: bytes.toString('base64') } },
        }
      if (bytes.subarray(0, 8000).includes(0))
        return refused(`${path} is a binary file (${bytes.length} bytes). Look at it with bash: file, xxd.`)
      files.remember(path, bytes)
      return succeeded(
        numbered(bytes.toString('utf8'), Math.max(1, Math.trunc(offset ?? 1)), Math.max(1, Math.trunc(limit ?? DEFAULT_LINES))),
      )
    },
  }
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
    const row = `${String(first + index).padStart(6)}\t${line.length > LINE_CHARS ? `${line.slice(0, LINE_CHARS)}… (cut)` : line}`
    chars += row.length + 1
    if (chars > OUTPUT_CHARS) break
    shown.push(row)
  }
  const next = first + shown.length
  return next > lines.length
    ? shown.join('\n')
    : `${shown.join('\n')}\n(lines ${first} to ${next - 1} of ${lines.length}; continue with offset ${next})`
}
