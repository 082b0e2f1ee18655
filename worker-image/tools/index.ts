import { SAVE } from '../../contract/wire/deadlines.ts'
import { endLeftovers, MARKER } from '../process/processes.ts'
import { unlessAborted } from '../process/waiting.ts'
import { createBash } from './bash.ts'
import { createEdit } from './edit.ts'
import { createFiles, type Files } from './files.ts'
import { createRead } from './read.ts'
import { createFolderNotes, type FolderNotes } from './reading/notes.ts'
import { createTodo, type TodoItem } from './todo.ts'
import { cutOff, type OnOutput, problemsOf, refused, type Tool, type ToolResult } from './tool.ts'
import { createWebFetch } from './web-fetch.ts'
import { createWrite } from './write.ts'

export type Tools = {
  /** As the model API takes them; the same for the whole run. */
  definitions: ReadonlyArray<{ name: string; description: string; input_schema: Record<string, unknown>; strict: true }>
  /** One line about a call, for a person, even if the call cannot be run. */
  title: (name: string, input: unknown) => string
  /** Never throws: the model is told what goes wrong. */
  run: (name: string, input: unknown, signal: AbortSignal, onOutput?: OnOutput) => Promise<ToolResult>
  todos: () => readonly TodoItem[]
  /** Ends everything that commands left running. @returns how many processes there were */
  stop: () => Promise<number>
}

export type ToolsOptions = {
  directory: string
  scratch: string
  environment: Readonly<Record<string, string>>
  /** Marks every process that is started, see processes.ts. */
  run: string
  graceMs?: number
}

export function createTools({ directory, scratch, environment, run, graceMs }: ToolsOptions): Tools {
  const files = createFiles(directory)
  const notes = createFolderNotes(directory)
  let todos: readonly TodoItem[] = []
  const marked = { ...environment, [MARKER]: run }
  const shell = createBash({
    directory,
    scratch,
    environment: marked,
    run,
    ...(graceMs === undefined ? {} : { graceMs }),
  })
  const list = [
    shell.bash,
    shell.output,
    withNotes(createRead(files, marked), files, notes),
    withNotes(createWrite(files), files, notes),
    withNotes(createEdit(files), files, notes),
    // The door is also the proxy of commands.
    createWebFetch(environment.HTTPS_PROXY),
    createTodo((items) => {
      todos = items
    }),
    // Each tool only gets input that fits its own schema: see `run`.
  ] as ReadonlyArray<Tool<never>>
  const find = (name: string) => list.find((tool) => tool.name === name)
  const problems = (name: string, input: unknown): string[] => {
    const tool = find(name)
    if (!tool) return [`there is no tool ${name}; the tools are ${list.map((known) => known.name).join(', ')}`]
    return problemsOf(tool.schema, input)
  }
  return {
    definitions: list.map(({ name, description, schema }) => ({ name, description, input_schema: { ...schema }, strict: true })),
    title: (name, input) => (problems(name, input).length > 0 ? name : (find(name)?.title(input as never) ?? name)),
    run: async (name, input, signal, onOutput) => {
      const wrong = problems(name, input)
      const tool = find(name)
      if (!tool || wrong.length > 0) return refused(`The call was not run: ${wrong.join('; ')}.`)
      try {
        // A file system that does not answer must not keep the work from being saved.
        return await unlessAborted(tool.run(input as never, signal, onOutput), signal, SAVE.toolMs, TOO_LATE)
      } catch (error) {
        return refused(error instanceof Error ? error.message : String(error))
      }
    },
    todos: () => todos,
    stop: () => endLeftovers(run),
  }
}

/** The repository's notes about a folder come with the first result about a file in it, for the model alone. */
function withNotes<Input extends { file_path: string }>(tool: Tool<Input>, files: Files, notes: FolderNotes): Tool<Input> {
  return {
    ...tool,
    run: async (input, signal) => {
      const result = await tool.run(input, signal)
      const fresh = await notes.newFor(files.resolve(input.file_path))
      return fresh === null ? result : { ...result, text: `${result.text}\n\n${fresh}`, output: result.output ?? result.text }
    },
  }
}

const TOO_LATE = cutOff('Cut off: the turn ended before this call did.')
