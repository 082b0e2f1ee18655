import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'

/**
 * Kills a process in the middle of its work: no last word, no cleaning up.
 * @throws Error unless it was alive until then and died of just that, because a test that kills a dead process shows nothing
 */
export async function killAlive(what: string, child: ChildProcess | null): Promise<void> {
  if (!isAlive(child)) throw new Error(`${what} was dead before it was killed`)
  const exited = once(child, 'exit')
  child.kill('SIGKILL')
  const [code, signal] = await exited
  if (signal !== 'SIGKILL') throw new Error(`${what} ended by itself before it was killed: ${code ?? signal}`)
}

/** Ends a process if it is still there. @returns its exit code; null when a signal ended it */
export async function endProcess(child: ChildProcess | null, signal: NodeJS.Signals): Promise<number | null> {
  if (isAlive(child)) {
    const exited = once(child, 'exit')
    child.kill(signal)
    await exited
  }
  return child?.exitCode ?? null
}

export function isAlive(child: ChildProcess | null): child is ChildProcess {
  return child?.pid !== undefined && child.exitCode === null && child.signalCode === null
}
