import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { execa } from 'execa'

type Input = Record<string, unknown>
export type ToolAnswer = { text: string; isError: boolean }

/** A plain version of the agent's tools that really runs in `directory`. Any model that uses the tools must cope with it. */
export function toolExecutor(directory: string) {
  const wasRead = new Set<string>()
  const tools: Record<string, (input: Input) => Promise<string>> = {
    bash: async ({ command }) => {
      const { all, exitCode } = await execa('bash', ['-c', String(command)], {
        cwd: directory,
        all: true,
        reject: false,
        env: { NODE_OPTIONS: undefined, NODE_TEST_CONTEXT: undefined },
      })
      return `exit_code: ${exitCode}\n${all}`
    },
    read: async ({ file_path }) => {
      const lines = (await readFile(String(file_path), 'utf8')).split('\n')
      wasRead.add(String(file_path))
      return lines.map((line, i) => `${String(i + 1).padStart(6)}\t${line}`).join('\n')
    },
    write: async ({ file_path, content }) => {
      await mkdir(dirname(String(file_path)), { recursive: true })
      await writeFile(String(file_path), String(content))
      return 'written'
    },
    edit: async ({ file_path, old_string, new_string }) => {
      if (!wasRead.has(String(file_path))) throw new Error('read the file first')
      const parts = (await readFile(String(file_path), 'utf8')).split(String(old_string))
      if (parts.length !== 2) throw new Error(`old_string was found ${parts.length - 1} times`)
      await writeFile(String(file_path), parts.join(String(new_string)))
      return 'edited'
    },
    todo: async () => 'noted',
  }
  return async (name: string, input: Input): Promise<ToolAnswer> => {
    try {
      const tool = tools[name]
      if (!tool) throw new Error(`no such tool: ${name}`)
      return { text: await tool(input), isError: false }
    } catch (error) {
      return { text: (error as Error).message, isError: true }
    }
  }
}
