import { describe, expect, it } from '@jest/globals'
import { taskAfter } from '../../client/task-summary.ts'
import type { Task } from '../../contract/api/api.ts'
import type { EventData, EventType, TaskEvent } from '../../contract/api/event.ts'

const AT = '2026-11-21T10:42:00.000Z'
function event<T extends EventType>(seq: number, type: T, data: EventData<T>): TaskEvent {
  return { taskId: 't', seq, attempt: 2, at: AT, type, data } as TaskEvent
}
function summary(more: Partial<Task>): Task {
  return {
    id: 't',
    status: 'running',
    turn: 1,
    lastSeq: 4,
    startedAt: null,
    completedAt: null,
    branch: 'b',
    diff: null,
    ...more,
  } as Task
}

const said = { messageId: 'm', turn: 2, text: 'more', clientId: null }
const end = { turn: 1, message: null, branch: 'errand/b' }
const diff = { files: 1, insertions: 2, deletions: 0 }

describe('a summary after later events', () => {
  it.each([
    [
      'has ended',
      event(5, 'task.ended', { ...end, status: 'completed', reason: 'done' }),
      { status: 'completed', completedAt: AT },
    ],
    [
      'has failed',
      event(5, 'task.ended', { ...end, status: 'failed', reason: 'budget_exceeded' }),
      { reason: 'budget_exceeded' },
    ],
    ['waits', event(5, 'message.received', { ...said, mode: null }), { status: 'pending', turn: 2, completedAt: null }],
    ['runs on beside a message', event(5, 'message.received', { ...said, mode: 'queue' }), { status: 'running', turn: 1 }],
    [
      'runs',
      event(5, 'attempt.started', { turn: 2, runner: 'attic' }),
      { status: 'running', turn: 2, attempt: 2, startedAt: AT },
    ],
    [
      'waits for another attempt',
      event(5, 'attempt.ended', { outcome: 'interrupted', reason: 'runner_lost', message: null }),
      { status: 'pending' },
    ],
    [
      'waits for the model',
      event(5, 'attempt.ended', { outcome: 'interrupted', reason: 'model_waiting', message: null, until: AT }),
      { status: 'pending', reason: 'model_waiting', waitingUntil: AT },
    ],
    [
      'goes on after it',
      event(5, 'attempt.started', { turn: 1, runner: 'attic' }),
      { status: 'running', reason: null, waitingUntil: null },
    ],
    [
      'has changes',
      event(5, 'turn.ended', { turn: 1, outcome: 'completed', reason: 'done', summary: '', message: null, diff }),
      { diff, status: 'running' },
    ],
    ['has a pull request', event(5, 'pull_request.opened', { url: 'https://pr', number: 1 }), { pullRequestUrl: 'https://pr' }],
  ])('%s', (_how, later, expected) => {
    expect(taskAfter(summary({}), [later])).toMatchObject(expected)
  })

  it('is the same one when it is the newer, or when they tell nothing of it', () => {
    const newer = summary({ status: 'completed', lastSeq: 9 })
    expect(taskAfter(newer, [event(5, 'attempt.started', { turn: 1, runner: 'attic' })])).toBe(newer)
    const running = summary({})
    expect(taskAfter(running, [event(5, 'text.written', { text: 'hello' })])).toBe(running)
    expect(taskAfter(running, [])).toBe(running)
  })

  it('is as old as the newest of what it was made of', () => {
    const saved = { ...summary({}), asOf: '2026-11-21T10:00:00.000Z' }
    const ended = event(5, 'task.ended', { ...end, status: 'completed', reason: 'done' })
    expect(taskAfter(saved, [ended]).asOf).toBe(AT)
    expect(taskAfter({ ...saved, asOf: '2026-11-21T11:00:00.000Z' }, [ended]).asOf).toBe('2026-11-21T11:00:00.000Z')
    expect(taskAfter(summary({}), [ended])).not.toHaveProperty('asOf')
  })
})
