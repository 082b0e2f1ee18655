import { MARKER, sweep } from '../process/processes.ts'
import { createBash } from './bash.ts'
import { createEdit } from './edit.ts'
import { createFiles } from './files.ts'
import { createRead } from './read.ts'
import { createTodo, type TodoItem } from './todo.ts'
import { problemsOf, refused, type Tool, type ToolResult } from './tool.ts'
import { createWrite } from './write.ts'

export type Tools = {
  /** As the model API takes them; the same for the whole run. */
  definitions: ReadonlyArray<{ name: string; description: string; input_schema: Record<string, unknown>; strict: true }>
  /** One line about a call, for a person; also for one that cannot be run. */
  title: (name: string, input: unknown) => string
  /** Never throws: whatever goes wrong is told to the model. */
  run: (name: string, input: unknown, signal: AbortSignal) => Promise<ToolResult>
  todos: () => readonly TodoItem[]
  /** Ends everything that commands left running. @returns how many processes that were */
  stop: () => Promise<number>
}

export type ToolsOptions = {
  directory: string
  scratch: string
  /** Without the task token: what a tool prints is shown to people. */
  environment: Readonly<Record<string, string>>
  /** Marks every process that is started, see processes.ts. */
  run: string
  graceMs?: number
}

export function createTools({ directory, scratch, environment, run, graceMs }: ToolsOptions): Tools {
  const files = createFiles(directory)
  let todos: readonly TodoItem[] = []
  const bash = createBash({
    directory,
    scratch,
    environment: { ...environment, [MARKER]: run },
    ...(graceMs === undefined ? {} : { graceMs }),
  })
  const list = [
    bash,
    createRead(files),
    createWrite(files),
    createEdit(files),
    createTodo((items) => {
      todos = items
    }),
    // Each takes the input that its own schema lets through, and gets no other: see `run`.
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
    run: async (name, input, signal) => {
      const wrong = problems(name, input)
      const tool = find(name)
      if (!tool || wrong.length > 0) return refused(`The call was not run: ${wrong.join('; ')}.`)
      try {
        return await orStopped(tool.run(input as never, signal), signal)
      } catch (error) {
        return refused(error instanceof Error ? error.message : String(error))
      }
    },
    todos: () => todos,
    stop: () => sweep(run),
  }
}

/** What a tool may take to end by itself when the task is stopped: longer than a command's processes are given. */
const STOPPED_MS = 2000

/** A file system that does not answer must not keep the work from being delivered. */
async function orStopped(work: Promise<ToolResult>, signal: AbortSignal): Promise<ToolResult> {
  let timer: NodeJS.Timeout | undefined
  let onAbort = () => {}
  const stopped = new Promise<ToolResult>((resolve) => {
    onAbort = () => {
      timer = setTimeout(() => resolve(refused('The task was stopped before this call came to an end.')), STOPPED_MS)
    }
    signal.addEventListener('abort', onAbort, { once: true })
    if (signal.aborted) onAbort()
  })
  try {
    return await Promise.race([work, stopped])
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', onAbort)
  }
}
