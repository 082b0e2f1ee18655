import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdir, open, readFile, rm } from 'node:fs/promises'
import { endGroup } from '../process/processes.ts'
import { bounded, cleaned, MODEL_OUTPUT_CHARS } from './output.ts'
import { readEnds } from './read-ends.ts'
import { refused, type Tool, type ToolResult } from './tool.ts'

/** Why a command was ended before it ended by itself. */
type Cause = 'timeout' | 'spill' | 'abort'
type Input = { command: string; description?: string; timeout_ms?: number }

export type BashOptions = {
  /** Where the first command starts; later ones start where the last one ended. */
  directory: string
  environment: Readonly<Record<string, string>>
  scratch: string
  /** Output of one command that is kept, bytes; a command that writes more is ended. */
  maxSpillBytes?: number
  /** Between TERM and KILL. */
  graceMs?: number
}

const DEFAULT_TIMEOUT_MS = 120_000
const MAX_TIMEOUT_MS = 600_000
/** Output that is looked at whole; of more, the two ends. */
const WHOLE_BYTES = 512 * 1024

/**
 * A fresh shell for each command. Its output goes into a file and not a pipe, and what is waited for is the shell's own end: a background
 * process that inherited the output then holds nothing up.
 */
export function createBash(options: BashOptions): Tool<Input> {
  const { environment, scratch, maxSpillBytes = 32 * 1024 * 1024, graceMs = 2000 } = options
  let directory = options.directory
  let count = 0

  const run = async (input: Input, signal: AbortSignal): Promise<ToolResult> => {
    const timeoutMs = Math.min(Math.max(1000, input.timeout_ms ?? DEFAULT_TIMEOUT_MS), MAX_TIMEOUT_MS)
    await mkdir(scratch, { recursive: true })
    count += 1
    const spill = `${scratch}/${count}.log`
    const cwdFile = `${scratch}/cwd-${randomUUID()}`
    const file = await open(spill, 'a+')
    const started = performance.now()
    const child = spawn('bash', ['-c', PRELUDE, 'bash', input.command, cwdFile], {
      cwd: directory,
      env: environment,
      // A group of its own, so that everything it started can be ended with it.
      detached: true,
      stdio: ['ignore', file.fd, file.fd],
    })
    const early: { cause: Cause | null; ended: Promise<void> } = { cause: null, ended: Promise.resolve() }
    const end = (cause: Cause, grace: number) => {
      if (early.cause || !child.pid) return
      early.cause = cause
      early.ended = endGroup(child.pid, grace)
    }
    const timer = setTimeout(() => end('timeout', graceMs), timeoutMs)
    const onAbort = () => end('abort', Math.min(graceMs, 1000))
    signal.addEventListener('abort', onAbort, { once: true })
    const watch = setInterval(() => {
      file.stat().then(
        ({ size }) => size > maxSpillBytes && end('spill', 0),
        () => clearInterval(watch),
      )
    }, 20)
    try {
      const [code, killedBy] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null]
      await early.ended
      const { size } = await file.stat()
      const text = cleaned(await readEnds(file, size, WHOLE_BYTES))
      const moved = await carriedDirectory(cwdFile)
      const seconds = ((performance.now() - started) / 1000).toFixed(1)
      const head = [
        `exit_code: ${code ?? `killed by ${killedBy}`}`,
        `wall_time: ${seconds} s`,
        ...(moved && moved !== directory ? [`cwd is now: ${moved}`] : []),
        ...advice(early.cause, timeoutMs, maxSpillBytes),
      ].join('\n')
      if (moved) directory = moved
      return {
        ok: early.cause === null,
        text: `${head}\n${bounded(text.trimEnd(), MODEL_OUTPUT_CHARS - head.length, spill) || '(no output)'}`,
        exitCode: code,
        outputBytes: size,
        wholeFile: spill,
      }
    } catch (error) {
      const gone = directory
      directory = options.directory
      return refused(spawnProblem(error as NodeJS.ErrnoException, gone, directory))
    } finally {
      clearTimeout(timer)
      clearInterval(watch)
      signal.removeEventListener('abort', onAbort)
      await file.close()
    }
  }
  return { ...DESCRIPTION, run }
}

/** The first to go when memory runs out is a command's process, not the agent; the directory is noted however the command ends. */
const PRELUDE = 'echo 900 2>/dev/null > /proc/self/oom_score_adj; trap \'pwd -P > "$2"\' EXIT; eval "$1"'

const DESCRIPTION: Omit<Tool<Input>, 'run'> = {
  name: 'bash',
  description: [
    'Runs a command in a fresh bash shell and returns its exit code and output (standard output and error together).',
    'The working directory carries over to the next call; variables and functions do not. Standard input is empty.',
    'A long output is shown by its beginning and its end, and all of it is in the file that is named there.',
    'Something that goes on running is put into the background with its output in a file: `server > server.log 2>&1 &`.',
    'Prefer `rg` for searching. There is no internet; packages come from the registries that are set up.',
  ].join(' '),
  schema: {
    type: 'object',
    properties: {
      command: { type: 'string', description: 'The command; several lines are fine.' },
      description: { type: 'string', description: 'What it is for, in 5 to 10 words.' },
      timeout_ms: { type: 'number', description: 'Ended after this many milliseconds; 120000 unless given, at most 600000.' },
    },
    required: ['command'],
    additionalProperties: false,
  },
  title: ({ command, description }) => description || (command.trim().split('\n')[0] ?? ''),
}

function advice(cause: Cause | null, timeoutMs: number, maxSpillBytes: number): string[] {
  if (cause === 'timeout')
    return [
      `timed out after ${timeoutMs} ms and was ended; give a larger timeout_ms, narrow it down, or run it in the background`,
    ]
  if (cause === 'spill') return [`ended: it wrote more than ${maxSpillBytes} bytes; narrow it down, or send its output to a file`]
  return cause === 'abort' ? ['ended: the task was stopped'] : []
}

function spawnProblem(error: NodeJS.ErrnoException, gone: string, directory: string): string {
  if (error.code === 'E2BIG') return 'The command is too long for a shell; write it to a file with the write tool and run that.'
  if (error.code === 'ENOENT')
    return `The command was not started: the working directory ${gone} is gone. The next one starts in ${directory}.`
  return `The command was not started: ${error.message}`
}

async function carriedDirectory(file: string): Promise<string | null> {
  try {
    const directory = (await readFile(file, 'utf8')).trimEnd()
    await rm(file)
    return directory || null
  } catch {
    // The shell was killed, or the command took the trap for itself: the directory stays.
    return null
  }
}
