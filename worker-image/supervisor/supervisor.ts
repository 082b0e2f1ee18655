import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { SAVE } from '../../contract/wire/deadlines.ts'
import type { Config } from '../process/config.ts'
import { startForwarder } from './forwarder.ts'

/** How the agent's process ended: by itself with a code, or by a signal. */
export type Exit = { code: number | null; signal: NodeJS.Signals | null }

/**
 * Shows the door, starts the agent's process and outlives it. The agent has a process of its own, so that when it runs out of memory or
 * crashes, this one can still save the work.
 * @param command starts the agent
 * @param rescue saves the work and emits the end when the agent ended without having done so
 * @returns true when an end was emitted
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
    timer = setTimeout(() => child.kill('SIGKILL'), SAVE.agentMs)
  }
  process.on('SIGTERM', stop)
  const exited = once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>
  if (child.pid) await preferOverUs(child.pid)
  const [code, signal] = await exited
  if (timer) clearTimeout(timer)
  try {
    if (code === 0) return true
    // Ends the line in the middle of which the agent may have been killed.
    process.stdout.write('\n')
    await rescue({ exit: { code, signal }, stopped: stopped.signal })
    return true
  } finally {
    process.off('SIGTERM', stop)
    await forwarder.stop()
  }
}

/** When memory runs out, the kernel kills the commands first (see tools/bash.ts), then the agent, and this process last. */
async function preferOverUs(pid: number): Promise<void> {
  try {
    await writeFile(`/proc/${pid}/oom_score_adj`, '700')
  } catch (error) {
    // The process is already gone, or this is not Linux: only the order of killing differs.
    process.stderr.write(`oom_score_adj of ${pid} not set: ${String(error)}\n`)
  }
}
