import type { Files } from './files.ts'
import { refused, succeeded, type Tool } from './tool.ts'

type Input = { file_path: string; content: string }

export function createWrite(files: Files): Tool<Input> {
  return {
    name: 'write',
    description:
      'Creates a file with this content, or overwrites one that you have read. Missing folders are created. To change part of a file, use edit.',
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
      const stale = before && files.staleness(path, before)
      if (stale) return refused(stale)
      await files.save(path, Buffer.from(content))
      return succeeded(
        `${before ? 'Overwrote' : 'Created'} ${path} (lines: ${before ? `${linesOf(before.toString('utf8'))} before, ` : ''}${linesOf(content)}).`,
      )
    },
  }
}

function linesOf(text: string): number {
  return text === '' ? 0 : text.replace(/\n$/, '').split('\n').length
}
