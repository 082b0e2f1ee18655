import { judgeCalls } from './judge-calls.ts'
import { judgeEffects } from './judge-effects.ts'
import { judgeLists, judgeStored } from './judge-store.ts'
import type { SeenLeft, SeenTask } from './seen.ts'

/** The oracle. @returns everything that broke a promise, in words; nothing when all is well */
export function judge(tasks: readonly SeenTask[], left: SeenLeft): string[] {
  return [...tasks.flatMap(judgeTask), ...judgeLeft(left)]
}

/** @returns the same for one task */
export function judgeTask(task: SeenTask): string[] {
  const { stored } = task
  const about = `${task.name} (${task.id})`
  if (!stored) return [`${about}: the server accepted it, and the store does not have it`]
  const faults = [
    ...judgeStored(task, stored),
    ...judgeLists(task, stored),
    ...judgeEffects(task, stored),
    ...judgeCalls(task, stored),
  ]
  return faults.map((fault) => `${about}: ${fault}`)
}

/** @returns the same for what must be gone when every task has ended */
export function judgeLeft({ containers, files, streamEntries, jobs, integrity, refusals }: SeenLeft): string[] {
  return [
    ...containers.map((container) => `a container is left: ${container}`),
    ...files.map((file) => `a runner's folder still holds ${file}`),
    ...jobs.map((job) => `the queue still holds the job ${job} of an ended task`),
    ...(streamEntries > 0 ? [`${streamEntries} events are left in Redis`] : []),
    ...(integrity === 'ok' ? [] : [`the database is damaged: ${integrity}`]),
    ...refusals.map((refusal) => `the model refused a request: ${refusal}`),
  ]
}
