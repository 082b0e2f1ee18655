import { describe, expect, it } from '@jest/globals'
import { judge, judgeLeft, judgeTask } from './oracle/judge.ts'
import type { SeenEvent, SeenLeft, SeenTask, StoredRow } from './oracle/seen.ts'

const NOTHING = '0'.repeat(40)
const COMMIT = 'a'.repeat(40)
const OTHER = 'b'.repeat(40)

function event(seq: number, attempt: number, type: string, n: number | null = null, data: SeenEvent['data'] = {}): SeenEvent {
  return { seq, attempt, type, n, data }
}

const EVENTS = [
  event(1, 0, 'task.created'),
  event(2, 1, 'attempt.started'),
  event(3, 1, 'turn.started', 1),
  event(4, 1, 'usage.counted', 2, { costUsd: 0.25, estimated: false }),
  event(5, 1, 'branch.pushed', 3, { commit: COMMIT }),
  event(6, 1, 'turn.ended', 4),
  event(7, 1, 'attempt.ended'),
  event(8, 0, 'task.ended'),
]
const ATTEMPT: StoredRow['attempts'][number] = {
  attempt: 1,
  last_n: 4,
  started_at: 1_000,
  ended_at: 9_000,
  outcome: 'completed',
  reason: 'done',
}
const STORED: StoredRow = {
  status: 'completed',
  reason: 'done',
  attempt: 1,
  lastSeq: 8,
  costUsd: 0.25,
  attempts: [ATTEMPT],
  events: EVENTS,
}
const WELL: SeenTask = {
  name: 'one',
  id: 'tsk_1',
  deserves: ['completed'],
  oneAttempt: true,
  stored: STORED,
  rest: EVENTS,
  heard: EVENTS,
  moves: [{ before: NOTHING, after: COMMIT, forward: true }],
  tip: COMMIT,
  ledgerCommits: 1,
  ledgerLines: 1,
  calls: [{ at: 2_000, hashes: ['system', 'said'] }],
}
const CLEAN: SeenLeft = { containers: [], files: [], streamEntries: 0, jobs: [], integrity: 'ok', refusals: [] }

/** A task whose store differs, and REST and the client with it. */
function withStored(change: Partial<StoredRow>): SeenTask {
  const stored = { ...STORED, ...change }
  return { ...WELL, stored, rest: stored.events, heard: stored.events }
}

function withEvents(...events: SeenEvent[]): SeenTask {
  return withStored({ events, lastSeq: events.length })
}

describe('the oracle', () => {
  it('says nothing when all is well', () => {
    expect(judge([WELL], CLEAN)).toEqual([])
  })

  const second = { ...ATTEMPT, attempt: 2, last_n: 0, started_at: 10_000, ended_at: 11_000 }
  it.each<[string, SeenTask, string]>([
    ['a task that is gone', { ...WELL, stored: null }, 'does not have it'],
    ['a task that goes on', withStored({ status: 'running', reason: null }), 'still running'],
    ['an end that is not deserved', { ...WELL, deserves: ['cancelled'] }, 'deserved cancelled'],
    ['a second attempt', withStored({ attempt: 2, attempts: [ATTEMPT, second] }), 'took 2 attempts'],
    ['attempts with a hole', withStored({ attempt: 3, attempts: [{ ...ATTEMPT, attempt: 3 }] }), 'attempts are numbered 3'],
    ['an attempt that never ends', withStored({ attempts: [{ ...ATTEMPT, ended_at: null }] }), 'attempt 1 never ended'],
    ['a hole in the events', withStored({ events: EVENTS.filter(({ seq }) => seq !== 4), costUsd: 0 }), 'events are numbered'],
    ['an event of the runner that is missing', withStored({ attempts: [{ ...ATTEMPT, last_n: 5 }] }), 'events are 1,2,3,4 of 5'],
    [
      'an event of the runner twice',
      withEvents(...EVENTS.map((one) => (one.seq === 4 ? { ...one, n: 1 } : one))),
      'events are 1,1,3,4',
    ],
    ['a task without its end', withStored({ events: EVENTS.slice(0, 7), lastSeq: 7 }), 'task.ended comes 0 times'],
    ['two ends', withEvents(...EVENTS, event(9, 0, 'task.ended')), 'task.ended comes 2 times'],
    [
      'a pair that does not nest',
      withEvents(...EVENTS.map((one) => (one.seq === 6 ? { ...one, type: 'tool.ended' } : one))),
      'does not nest',
    ],
    ['a cost that is counted twice', withStored({ costUsd: 0.5 }), 'cost $0.250000, and the task $0.500000'],
    ['an event that REST does not have', { ...WELL, rest: EVENTS.slice(0, 7) }, 'REST has nothing where the store has event 8'],
    [
      'an event that REST has otherwise',
      { ...WELL, rest: EVENTS.with(2, event(3, 1, 'turn.started', 1, { x: 1 })) },
      'REST has event 3',
    ],
    ['an event that the client missed', { ...WELL, heard: EVENTS.toSpliced(3, 1) }, 'the socket client has event 5'],
    [
      'an event that the client has too many',
      { ...WELL, heard: [...EVENTS, event(9, 1, 'x.y')] },
      '1 events more than the store',
    ],
    ['an effect that is missing', { ...WELL, ledgerLines: 0, ledgerCommits: 0 }, 'without its line'],
    ['an effect twice', { ...WELL, ledgerLines: 2 }, 'in the ledger 2 times'],
    ['an effect in two commits', { ...WELL, ledgerCommits: 2 }, '2 commits wrote its line'],
    [
      'a push that nobody was told of',
      { ...WELL, moves: [...WELL.moves, { before: COMMIT, after: OTHER, forward: true }], tip: OTHER },
      'was made and is not told',
    ],
    ['a push that was never made', { ...WELL, moves: [], tip: null }, 'is told and was never made'],
    [
      'a push that is told twice',
      withEvents(...EVENTS.slice(0, 5), event(6, 1, 'branch.pushed', 4, { commit: COMMIT })),
      'is told twice',
    ],
    ['a push that takes back', { ...WELL, moves: [{ before: NOTHING, after: COMMIT, forward: false }] }, 'took back'],
    [
      'a branch that moved from elsewhere',
      { ...WELL, moves: [{ before: OTHER, after: COMMIT, forward: true }] },
      'moved from bbbbbbbbbb',
    ],
    ['a branch that is elsewhere', { ...WELL, tip: OTHER }, 'the branch is at bbbbbbbbbb'],
    ['a call that is paid twice', { ...WELL, calls: [] }, 'paid for 1 calls, and made 0'],
    [
      'a call that was answered',
      {
        ...WELL,
        calls: [...WELL.calls, { at: 3_000, hashes: ['system', 'said', 'ran'] }, { at: 4_000, hashes: ['system', 'said'] }],
      },
      'asked the model again what it had answered',
    ],
    [
      'a conversation that changed its past',
      { ...WELL, calls: [...WELL.calls, { at: 3_000, hashes: ['system', 'otherwise', 'ran'] }] },
      'does not continue the last one',
    ],
  ])('goes red for %s', (_what, task, words) => {
    expect(judgeTask(task).join('\n')).toContain(words)
  })

  it('lets a call be made again whose answer never arrived, and a new attempt begin again', () => {
    const again = { at: 3_000, hashes: ['system', 'said'] }
    expect(judgeTask({ ...WELL, calls: [...WELL.calls, again] })).toEqual([])
    const stored = { ...STORED, attempt: 2, attempts: [ATTEMPT, second] }
    const late = { at: 10_500, hashes: ['system', 'anew'] }
    expect(judgeTask({ ...WELL, oneAttempt: false, stored, calls: [...WELL.calls, late] })).toEqual([])
  })

  it.each<[keyof SeenLeft, SeenLeft, string]>([
    ['containers', { ...CLEAN, containers: ['x (tsk_1, exited)'] }, 'a container is left'],
    ['files', { ...CLEAN, files: ['r1/spool/tsk_1'] }, 'still holds r1/spool/tsk_1'],
    ['jobs', { ...CLEAN, jobs: ['tsk_1-1'] }, 'the job tsk_1-1'],
    ['streamEntries', { ...CLEAN, streamEntries: 2 }, '2 events are left in Redis'],
    ['integrity', { ...CLEAN, integrity: 'row 1 missing' }, 'the database is damaged'],
    ['refusals', { ...CLEAN, refusals: ['prefix'] }, 'the model refused'],
  ])('goes red for %s that are left', (_what, left, words) => {
    expect(judgeLeft(left).join('\n')).toContain(words)
  })
})
