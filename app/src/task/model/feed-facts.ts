import type { Task } from '../../../../contract/api/api.ts'
import type { EventData, Usage } from '../../../../contract/api/event.ts'

export type PlanStep = { text: string; status: 'open' | 'doing' | 'done' }

export function addUsage(a: Usage, b: Usage): Usage {
  return {
    inputTokens: a.inputTokens + b.inputTokens,
    outputTokens: a.outputTokens + b.outputTokens,
    cacheReadTokens: a.cacheReadTokens + b.cacheReadTokens,
    cacheWriteTokens: a.cacheWriteTokens + b.cacheWriteTokens,
    costUsd: a.costUsd + b.costUsd,
  }
}

/** The steps that a call of `todo` lists; null if its input is malformed. */
export function planOf(input: unknown): PlanStep[] | null {
  const { items } = fieldsOf(input)
  if (!Array.isArray(items)) return null
  return items.map((item) => {
    const { text, status } = fieldsOf(item)
    return { text: String(text ?? ''), status: status === 'done' || status === 'doing' ? status : 'open' }
  })
}

/** The fields of an unknown value: the model may write anything as a tool's input. */
export function fieldsOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
}

const MINUTE_MS = 60_000
/** After this long without an event, the app asks whether to go on. */
const STUCK_MS = 5 * MINUTE_MS

/**
 * What to show of a silence.
 * @param keptWaitingAt when the user last chose to keep waiting; 0 for never
 */
export function silenceOf(now: number, heardAt: number, keptWaitingAt: number): { minutes: number; maybeStuck: boolean } {
  return {
    minutes: Math.max(0, Math.floor((now - heardAt) / MINUTE_MS)),
    maybeStuck: now - Math.max(heardAt, keptWaitingAt) >= STUCK_MS,
  }
}

/** `until`: milliseconds since 1970; `reason` null: the task freed its slot and waits in the queue. */
export type ModelWait = { until: number; reason: EventData<'model.waiting'>['reason'] | null }

/**
 * @param running the wait of the agent that runs
 * @returns the wait of a task for the model, in its slot or in the queue; null while it waits for nothing or for something else
 */
export function modelWaitOf(
  { status, reason, waitingUntil }: Pick<Task, 'status' | 'reason' | 'waitingUntil'>,
  running: EventData<'model.waiting'> | null,
): ModelWait | null {
  if (status === 'running' && running) return { until: Date.parse(running.until), reason: running.reason }
  // An older server names no time.
  if (status !== 'pending' || reason !== 'model_waiting' || !waitingUntil) return null
  return { until: Date.parse(waitingUntil), reason: null }
}
