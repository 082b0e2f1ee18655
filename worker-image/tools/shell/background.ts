import type { ChildProcess } from 'node:child_process'
import { open } from 'node:fs/promises'
import { BACKGROUND, endGroup } from '../../process/processes.ts'
import { pause } from '../../process/waiting.ts'
import { bounded, cleaned, MODEL_OUTPUT_CHARS } from '../output.ts'
import { refused, type Tool, type ToolResult } from '../tool.ts'
import { type Guard, guardShell, type Limits, startShell } from './run-shell.ts'
import type { Spill, Spills } from './spills.ts'

type Input = { id: string; wait_ms?: number; stdin?: string; kill?: boolean }

/** Commands that run on while the model does something else, until they end, are ended, or the turn is over. */
export type Background = {
  start: (command: string, directory: string, environment: Readonly<Record<string, string>>) => Promise<ToolResult>
  /** @returns the ids of those that run */
  running: () => string[]
  /** The tool that looks at one of them. */
  tool: Tool<Input>
}

type Running = { spill: Spill; child: ChildProcess; guard: Guard; started: number; shown: number; seconds: number | null }

const MOST = 8
/** A command that fails at once is told at once. */
const FIRST_LOOK_MS = 1000
const MAX_WAIT_MS = 600_000
/** Of what is new at one look, this much is read. */
const NEWS_BYTES = 256 * 1024

export function createBackground(spills: Spills, limits: Limits): Background {
  const all = new Map<string, Running>()
  const never = new AbortController().signal
  const running = () => [...all].filter(([, { seconds }]) => seconds === null).map(([id]) => id)
  const start: Background['start'] = async (command, directory, environment) => {
    if (running().length >= MOST)
      return refused(`${MOST} background commands run already (${running().join(', ')}). End one with bash_output and kill.`)
    const id = String(all.size + 1)
    const spill = await spills.open(command)
    const child = startShell({ directory, environment: { ...environment, [BACKGROUND]: id }, spill, input: 'pipe' })
    await new Promise<void>((resolve, reject) => child.once('spawn', resolve).once('error', reject))
    // Whoever writes to a command that has ended learns it from its status.
    child.stdin?.on('error', () => undefined)
    const guard = guardShell(child, spill.file, { ...limits, timeoutMs: Number.POSITIVE_INFINITY }, never)
    const one: Running = { spill, child, guard, started: performance.now(), shown: 0, seconds: null }
    all.set(id, one)
    child.once('exit', () => {
      one.seconds = (performance.now() - one.started) / 1000
      guard.stop()
      void spill.close().catch(() => undefined)
    })
    await untilOver(one, FIRST_LOOK_MS, never)
    return look(id, one, limits)
  }
  const run = async ({ id, wait_ms = 0, stdin, kill }: Input, signal: AbortSignal): Promise<ToolResult> => {
    const one = all.get(id)
    if (!one) return refused(`There is no background command ${id}. ${known([...all.keys()])}`)
    if (stdin !== undefined && one.seconds === null) one.child.stdin?.write(stdin)
    if (kill && one.child.pid && one.seconds === null) await endGroup(one.child.pid, limits.graceMs)
    await untilOver(one, Math.min(Math.max(kill ? limits.graceMs : 0, wait_ms), MAX_WAIT_MS), signal)
    return look(id, one, limits)
  }
  return { start, running, tool: { ...DESCRIPTION, run } }
}

function known(ids: readonly string[]): string {
  return ids.length === 0
    ? 'Start one with bash and background: true; all end when the sandbox’s processes are killed.'
    : `Known: ${ids.join(', ')}.`
}

async function untilOver(one: Running, ms: number, signal: AbortSignal): Promise<void> {
  const over = new AbortController()
  const leave = () => over.abort()
  one.child.once('exit', leave)
  signal.addEventListener('abort', leave, { once: true })
  if (one.seconds === null && !signal.aborted) await pause(ms, over.signal)
  one.child.off('exit', leave)
  signal.removeEventListener('abort', leave)
}

async function look(id: string, one: Running, { maxSpillBytes }: Limits): Promise<ToolResult> {
  const { spill, child, guard, seconds } = one
  const { text: news, bytes, skipped } = await newsOf(one)
  const state =
    seconds === null
      ? `running for ${((performance.now() - one.started) / 1000).toFixed(0)} s`
      : `exit_code: ${child.exitCode ?? `killed by ${child.signalCode}`}\nwall_time: ${seconds.toFixed(1)} s`
  const flooded = guard.cause() === 'spill' ? [`ended: it wrote more than ${maxSpillBytes} bytes`] : []
  const gap = skipped > 0 ? [`${skipped} bytes are left out here: see ${spill.path}`] : []
  const heading = [`background command ${id}: ${state}`, ...flooded, ...gap].join('\n')
  return {
    ok: true,
    text: `${heading}\n${bounded(news, MODEL_OUTPUT_CHARS - heading.length, spill.path) || '(nothing new)'}`,
    output: news,
    exitCode: child.exitCode,
    outputBytes: bytes,
    wholeFile: spill.path,
  }
}

async function newsOf(one: Running): Promise<{ text: string; bytes: number; skipped: number }> {
  const file = await open(one.spill.path)
  try {
    const { size } = await file.stat()
    const from = Math.max(one.shown, size - NEWS_BYTES)
    const { buffer, bytesRead } = await file.read({ buffer: Buffer.alloc(size - from), position: from })
    const skipped = from - one.shown
    one.shown = size
    return { text: cleaned(buffer.toString('utf8', 0, bytesRead)).trimEnd(), bytes: bytesRead, skipped }
  } finally {
    await file.close()
  }
}

const DESCRIPTION: Omit<Tool<Input>, 'run'> = {
  name: 'bash_output',
  description: [
    'Looks at a background command that bash started: its state, and what it has printed since the last look.',
    'Waits for its end, up to wait_ms; writes to its standard input; ends it with kill.',
  ].join(' '),
  schema: {
    type: 'object',
    properties: {
      id: { type: 'string', description: 'The number that bash gave.' },
      wait_ms: { type: 'number', description: `How long to wait for its end, milliseconds; default 0, at most ${MAX_WAIT_MS}.` },
      stdin: { type: 'string', description: 'Text for its standard input, with its line end.' },
      kill: { type: 'boolean', description: 'Ends it with everything that it started.' },
    },
    required: ['id'],
    additionalProperties: false,
  },
  title: ({ id, kill, stdin }) =>
    kill
      ? `End background command ${id}`
      : stdin === undefined
        ? `Look at background command ${id}`
        : `Write to background command ${id}`,
}
