import type { Policy, SeenRequest } from '../support/outside/model-server.ts'
import { prefixHashes } from '../support/outside/model-strictness.ts'
import type { ModelCall } from './oracle/seen.ts'

/** The file in which each task leaves one line. */
export const LEDGER = 'LEDGER.md'

export type Workload = {
  policy: Policy
  /** Calls of the model for the task with this name, in the order in which they came. */
  callsOf: (name: string) => ModelCall[]
}

/** The first command has the effect, the last looks for it, and the others take time: a fault finds the agent in one, or between two. */
const STEPS = 8
const STEP_SECONDS = 0.4

/**
 * The model of every task: it writes the task's line, takes a few more steps, looks for the line, and ends. As a careful agent it writes only a
 * line that is not there: it may have come back with the work of an earlier attempt, or have been lost with a host.
 */
export function createWorkload(): Workload {
  const calls = new Map<string, ModelCall[]>()
  const callsOf = (name: string) => {
    const own = calls.get(name) ?? []
    calls.set(name, own)
    return own
  }
  return {
    callsOf,
    policy: ({ body }) => {
      const name = nameIn(body)
      callsOf(name).push({ at: Date.now(), hashes: prefixHashes(body) })
      const done = stepsIn(body)
      if (done >= STEPS) return { content: [{ type: 'text', text: `Add ${name} to the ledger\n\nThe line is there.` }] }
      const command =
        done === 0 || done === STEPS - 1 ? effectOf(name) : `sleep ${STEP_SECONDS}; echo step ${done + 1} of ${name}`
      const text = `Step ${done + 1} of ${STEPS}.`
      return {
        content: [
          { type: 'text', text },
          { type: 'tool_use', name: 'bash', input: { command } },
        ],
      }
    },
  }
}

/** An agent whose machine was lost is told that its changes are gone, and makes them again. */
function stepsIn({ messages }: SeenRequest['body']): number {
  const lost = messages.findLastIndex((message) => JSON.stringify(message).includes('machine that you worked on was lost'))
  return messages
    .slice(lost + 1)
    .flatMap(({ content }) => content)
    .filter(({ type }) => type === 'tool_use').length
}

/** The prompt of a task; its name comes back in every request of its model. */
export function promptOf(name: string): string {
  return `Add the line of ledger-${name} to ${LEDGER}.`
}

function nameIn({ messages }: SeenRequest['body']): string {
  return /ledger-([\w-]+)/.exec(JSON.stringify(messages[0]))?.[1] ?? 'nobody'
}

function effectOf(name: string): string {
  return `grep -qx 'ledger-${name}' ${LEDGER} || echo 'ledger-${name}' >> ${LEDGER}`
}
