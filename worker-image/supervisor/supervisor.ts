import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import type { Config } from '../process/config.ts'
import { startForwarder } from './forwarder.ts'

/** How the agent's process went: by itself with a code, or by a signal. */
export type Exit = { code: number | null; signal: NodeJS.Signals | null }

/**
 * After SIGTERM the agent has this long to deliver and say its end, milliseconds. The rescue has what is left of the 20 seconds after which
 * the runner ends the container.
 */
const STOP_MS = 9_000

/**
 * Shows the door, starts the agent's process and outlives it. The agent has its own process so that running out of memory, or a fault in
 * it, does not take away the one that can still save the work.
 * @param command starts the agent
 * @param rescue delivers and says the end when the agent went without having done so
 * @returns true when an end was said
 */
export async function supervise(
  config: Config,
  command: readonly [string, ...string[]],
  rescue: (how: { exit: Exit; stopped: AbortSignal }) => Promise<void>,
): Promise<boolean> {
  const forwarder = await startForwarder(config.socketPath, config.port)
  const [file, ...args] = command
  const child = spawn(file, args, { stdio: ['ignore', 'inherit', 'inherit'] })
  const stopped = new AbortController()
  let timer: NodeJS.Timeout | null = null
  const stop = () => {
    if (stopped.signal.aborted) return
    stopped.abort()
    child.kill('SIGTERM')
    timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS)
  }
  process.on('SIGTERM', stop)
  const exited = once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>
  if (child.pid) await preferOverUs(child.pid)
  const [code, signal] = await exited
  if (timer) clearTimeout(timer)
  try {
    if (code === 0) return true
    // A line that the agent was killed in the middle of is ended here, so that ours begins on its own.
    process.stdout.write('\n')
    await rescue({ exit: { code, signal }, stopped: stopped.signal })
    return true
  } finally {
    process.off('SIGTERM', stop)
    await forwarder.stop()
  }
}

/** Where memory runs out, the kernel takes the commands first (see tools/bash.ts), then the agent, and this process last. */
async function preferOverUs(pid: number): Promise<void> {
  try {
    await writeFile(`/proc/${pid}/oom_score_adj`, '700')
  } catch (error) {
    // Gone already, or not Linux: then only the order of ending differs.
    process.stderr.write(`oom_score_adj of ${pid} not set: ${String(error)}\n`)
  }
}
