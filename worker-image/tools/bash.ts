import { endLeftovers } from '../process/processes.ts'
import { bounded, MODEL_OUTPUT_CHARS } from './output.ts'
import { type Background, createBackground } from './shell/background.ts'
import { type Cause, type Limits, type Ran, runShell } from './shell/run-shell.ts'
import { createSpills } from './shell/spills.ts'
import { type OnOutput, refused, type Tool, type ToolResult } from './tool.ts'

type Input = { command: string; description?: string; timeout_ms?: number; background?: boolean }

export type BashOptions = {
  /** Where the first command starts; later ones start where the last one ended. */
  directory: string
  environment: Readonly<Record<string, string>>
  scratch: string
  /** Marks the processes of these commands, see process/processes.ts. */
  run: string
  /** How much output of one command is kept, bytes; a command that writes more is ended. */
  maxSpillBytes?: number
  /** Between TERM and KILL. */
  graceMs?: number
}

/** After how long a command is ended, milliseconds: without `timeout_ms`, and at the latest. An install fits into the first. */
export const COMMAND_TIMEOUTS = { defaultMs: 300_000, maxMs: 1_800_000 } as const
const MAX_SPILL_BYTES = 32 * 1024 * 1024
const GRACE_MS = 2000

/**
 * A fresh shell for each command. What it leaves running ends with it, unless the model starts it as a background command, which it looks at
 * with a second tool.
 */
export function createBash(options: BashOptions): { bash: Tool<Input>; output: Background['tool'] } {
  const { scratch, maxSpillBytes = MAX_SPILL_BYTES, graceMs = GRACE_MS } = options
  const spills = createSpills(scratch)
  const limits = { timeoutMs: COMMAND_TIMEOUTS.defaultMs, maxSpillBytes, graceMs }
  const background = createBackground(spills, limits)
  let directory = options.directory
  const runOnce = async (command: string, timeoutMs: number, signal: AbortSignal, onOutput?: OnOutput) => {
    const spill = await spills.open(command)
    try {
      const shell = { directory, environment: options.environment, spill, input: 'ignore' as const }
      const ran = await runShell(shell, { ...limits, timeoutMs }, signal, onOutput)
      const left = await endLeftovers(options.run, background.running())
      const result = resultOf(ran, { ...limits, timeoutMs }, { spill: spill.path, before: directory, left })
      directory = ran.directory ?? directory
      return result
    } finally {
      await spill.close()
    }
  }
  const run = async ({ command, timeout_ms, background: stays }: Input, signal: AbortSignal, onOutput?: OnOutput) => {
    const timeoutMs = Math.min(Math.max(1000, timeout_ms ?? COMMAND_TIMEOUTS.defaultMs), COMMAND_TIMEOUTS.maxMs)
    const start = () =>
      stays ? background.start(command, directory, options.environment) : runOnce(command, timeoutMs, signal, onOutput)
    try {
      return await start().catch(async (error: NodeJS.ErrnoException) => {
        // No room for one more process: what earlier commands left takes it all.
        if (error.code !== 'EAGAIN' || (await endLeftovers(options.run)) === 0) throw error
        return start()
      })
    } catch (error) {
      const gone = directory
      directory = options.directory
      return refused(spawnProblem(error as NodeJS.ErrnoException, gone, directory))
    }
  }
  return { bash: { ...DESCRIPTION, run }, output: background.tool }
}

/** Pure. The model gets a heading above the output; people get the facts as fields, and the plain output. */
function resultOf(ran: Ran, limits: Limits, around: { spill: string; before: string; left: number }): ToolResult {
  const { code, killedBy, cause, output, bytes, seconds, directory } = ran
  const { spill, before, left } = around
  const heading = [
    `exit_code: ${code ?? `killed by ${killedBy}`}`,
    `wall_time: ${seconds.toFixed(1)} s`,
    ...(directory && directory !== before ? [`cwd is now: ${directory}`] : []),
    ...(cause ? [adviceOn(cause, limits)] : []),
    ...(left > 0 && cause === null ? [`${leftWords(left)}; start what must go on with background: true`] : []),
  ].join('\n')
  const note = noteOn(cause, limits) ?? (left > 0 && cause === null ? `${leftWords(left)}.` : null)
  return {
    ok: cause === null,
    text: `${heading}\n${bounded(output, MODEL_OUTPUT_CHARS - heading.length, spill) || '(no output)'}`,
    output,
    cutOff: cause === 'abort',
    ...(note === null ? {} : { note }),
    exitCode: code,
    outputBytes: bytes,
    wholeFile: spill,
  }
}

function leftWords(count: number): string {
  return count === 1 ? 'It left 1 process running, which was ended' : `It left ${count} processes running, which were ended`
}

/** For the model. */
function adviceOn(cause: Cause, { timeoutMs, maxSpillBytes }: Limits): string {
  switch (cause) {
    case 'timeout':
      return `timed out after ${timeoutMs} ms and was ended; give a larger timeout_ms, narrow it down, or run it with background: true`
    case 'spill':
      return `ended: it wrote more than ${maxSpillBytes} bytes; narrow it down, or send its output to a file`
    case 'abort':
      return 'ended: the turn is over'
  }
}

/** For people, who see from `cutOff` that the turn was over. */
function noteOn(cause: Cause | null, { timeoutMs, maxSpillBytes }: Limits): string | null {
  if (cause === 'timeout') return `Timed out after ${Math.round(timeoutMs / 1000)} s.`
  return cause === 'spill' ? `Ended: it wrote more than ${Math.round(maxSpillBytes / 1024 ** 2)} MB.` : null
}

const DESCRIPTION: Omit<Tool<Input>, 'run'> = {
  name: 'bash',
  description: [
    'Runs a command in a fresh bash shell and returns its exit code and output (standard output and error together).',
    'The working directory carries over to the next call; variables and functions do not. Standard input is empty.',
    'A long output is shown in part, its beginning and its end; the file that is named in between has all of it.',
    'A server, a watcher or a build that takes long: background: true. It answers with a number; look at it with bash_output.',
    'Anything else that a command leaves running is ended with it.',
    'Search with `rg`. There is no internet; packages come from the configured registries.',
  ].join(' '),
  schema: {
    type: 'object',
    properties: {
      command: { type: 'string', description: 'The command; it may have several lines.' },
      description: { type: 'string', description: 'What it is for, in 5 to 10 words.' },
      timeout_ms: {
        type: 'number',
        description: `Milliseconds after which the command is ended; default ${COMMAND_TIMEOUTS.defaultMs}, at most ${COMMAND_TIMEOUTS.maxMs}.`,
      },
      background: { type: 'boolean', description: 'Lets it run on beside other calls, with no timeout.' },
    },
    required: ['command'],
    additionalProperties: false,
  },
  title: ({ command, description }) => description || (command.trim().split('\n')[0] ?? ''),
}

function spawnProblem(error: NodeJS.ErrnoException, gone: string, directory: string): string {
  if (error.code === 'EAGAIN')
    return 'The command was not started: the sandbox has as many processes as it may have. Everything that commands left running was ended; try again.'
  if (error.code === 'ENOSPC')
    return 'The command was not started: the disk for outputs is full. Commands that print less, or into a file, leave room.'
  if (error.code === 'ENOENT')
    return `The command was not started: the working directory ${gone} is gone. The next one starts in ${directory}.`
  return `The command was not started: ${error.message}`
}
