import { mergeLines, splitLines, usualEndOf } from './editing/lines.ts'
import type { Files } from './files.ts'
import { encodingOf, isUtf8Text } from './reading/encoding.ts'
import { refused, succeeded, type Tool } from './tool.ts'

type Input = { file_path: string; content: string }

export function createWrite(files: Files): Tool<Input> {
  return {
    name: 'write',
    description: [
      'Creates a file with this content, or overwrites one that you have read. Missing folders are created. A file that is overwritten keeps',
      'its byte order mark and its line ends. To change part of a file, use edit.',
    ].join(' '),
    schema: {
      type: 'object',
      properties: {
        file_path: { type: 'string', description: 'Absolute, or relative to the repository.' },
        content: { type: 'string', description: 'The whole content.' },
      },
      required: ['file_path', 'content'],
      additionalProperties: false,
    },
    title: ({ file_path }) => `Write ${file_path}`,
    run: async ({ file_path, content }) => {
      const path = files.resolve(file_path)
      const before = await files.find(path)
      if (before === null) {
        await files.save(path, Buffer.from(content), { seen: true })
        return succeeded(`Created ${path} (lines: ${linesOf(content)}).`)
      }
      const problem = lossOf(path, before) ?? files.staleness(path, before)
      if (problem) return refused(problem)
      const { text, kept } = inFormOf(before.toString('utf8'), content)
      await files.save(path, Buffer.from(text), { seen: true })
      return succeeded(`Overwrote ${path} (lines: ${linesOf(before.toString('utf8'))} before, ${linesOf(content)} now${kept}).`)
    },
  }
}

/** @returns what would be lost if the file were overwritten with UTF-8 text, and the way around it; null if nothing */
function lossOf(path: string, before: Buffer): string | null {
  const encoding = encodingOf(before)
  if (encoding === null)
    return `${path} is a binary file (${before.length} bytes), which write would destroy. Use bash: cp, or rm if it is to be replaced by a text.`
  if (isUtf8Text(encoding)) return null
  const way = `python3 with encoding="${encoding.name.toLowerCase()}"`
  return `${path} is not UTF-8 (it looks like ${encoding.name}), and write would destroy its other characters. Change it with ${
    encoding.writable ? 'edit, which keeps the encoding, or with ' : ''
  }bash: ${way}. If it is to become UTF-8: iconv -f ${encoding.name} -t UTF-8, then read it again.`
}

const BOM = '\uFEFF'

/** Pure. @returns the new content with the byte order mark and the line ends of the old one, and what was kept, in words */
function inFormOf(before: string, content: string): { text: string; kept: string } {
  const mark = before.startsWith(BOM) ? BOM : ''
  const body = content.startsWith(BOM) ? content.slice(1) : content
  const old = splitLines(before.slice(mark.length))
  const texts = old.map((line) => line.text)
  // A file of one line has no line ends to keep.
  const text = old.length === 1 ? body : mergeLines(old, texts, body.replaceAll('\r\n', '\n').split('\n'), usualEndOf(before))
  const kept = [...(mark ? ['byte order mark'] : []), ...(text === body ? [] : ['line ends'])].join(' and ')
  return { text: mark + text, kept: kept ? `; kept: its ${kept}` : '' }
}

function linesOf(text: string): number {
  return text === '' ? 0 : text.replace(/\n$/, '').split('\n').length
}
