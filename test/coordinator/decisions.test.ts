import { describe, expect, it } from '@jest/globals'
import { NewEvent } from '../../contract/api/event.ts'
import { type Reason, reasonTextOf } from '../../contract/api/reason.ts'
import { INTERRUPTIONS } from '../../contract/api/reason-texts.ts'
import { MAX_INTERRUPTED_ATTEMPTS, MAX_INTERRUPTIONS } from '../../contract/api/status.ts'
import { signedEntryText } from '../../contract/wire/river.ts'
import { judgeEnd } from '../../coordinator/attempts/judge-end.ts'
import { closePairs } from '../../coordinator/attempts/open-pairs.ts'
import { MAX_PARKED, park } from '../../coordinator/attempts/park.ts'
import { foldEvent } from '../../coordinator/intake/take-events.ts'
import { titleOf } from '../../coordinator/notify/should-notify.ts'
import { watchUnbroken } from '../../coordinator/reconcile/reconcile.ts'
import { settle } from '../../coordinator/reconcile/settle.ts'
import { createSecrets } from '../../coordinator/secrets/secrets.ts'
import type { PairRow } from '../../coordinator/store/events.ts'
import type { TaskRow } from '../../coordinator/store/tasks.ts'
import { branchOf, newTaskId } from '../../coordinator/tasks/create-task.ts'
import { createSignatures } from '../../coordinator/wire/signatures.ts'

const task = {
  id: 'tsk_a',
  turn: 1,
  branch: 'errand/tsk_a/x',
  cancel_requested_at: null,
  cost_usd: 1,
  input_tokens: 1,
} as TaskRow

describe('judging the end of an attempt', () => {
  const history = { interruptions: 1, interruptedAttempts: 1, pushed: false }
  it('tries an interrupted turn again, with the reason for whoever waits', () => {
    expect(judgeEnd(task, { outcome: 'interrupted', reason: 'host_disk_full', message: null }, history)).toEqual({
      status: 'pending',
      change: { reason: 'host_disk_full', error: null },
      closing: null,
    })
  })
  it('gives up after the last allowed interruption, and says what the last one was', () => {
    const ended = { outcome: 'interrupted', reason: 'runner_lost', message: 'gone' } as const
    const verdict = judgeEnd(task, ended, { ...history, interruptions: MAX_INTERRUPTIONS })
    expect(verdict).toMatchObject({ status: 'failed', change: { reason: 'abandoned', error: expect.stringContaining('gone') } })
    expect(judgeEnd(task, ended, { ...history, interruptions: MAX_INTERRUPTIONS - 1 }).status).toBe('pending')
    for (const reason of INTERRUPTIONS as Reason[]) {
      const last = judgeEnd(
        task,
        { outcome: 'interrupted', reason, message: null },
        { ...history, interruptions: MAX_INTERRUPTIONS },
      )
      expect(JSON.stringify(last)).not.toMatch(/again|retr/i)
      expect(reasonTextOf('pending', reason)).toMatch(/^Interrupted: the .*\. Retrying automatically\.$/)
    }
  })
  it.each([
    [{ outcome: 'completed', reason: 'done', message: null }, true, 'The agent had already finished. Its work is on the branch.'],
    [{ outcome: 'completed', reason: 'done', message: null }, false, 'The agent had already finished.'],
    [
      { outcome: 'completed', reason: 'no_changes', message: null },
      true,
      'The agent had already finished, without changing a file.',
    ],
    [
      { outcome: 'failed', reason: 'push_refused', message: 'remote: no' },
      false,
      /^The turn had already failed\. .*bundle.*\nremote: no$/,
    ],
    [{ outcome: 'cancelled', reason: 'cancelled_by_user', message: 'not pushed' }, false, 'not pushed'],
    [{ outcome: 'interrupted', reason: 'runner_lost', message: null }, true, null],
  ] as const)(
    'lets an accepted cancel win over every end that comes after it, and tells how far the work had come: %o',
    (...row) => {
      const [ended, pushed, message] = row
      const wished = { ...task, cancel_requested_at: 5 }
      const verdict = judgeEnd(wished, ended, { ...history, interruptions: MAX_INTERRUPTIONS, pushed })
      const told = message instanceof RegExp ? expect.stringMatching(message) : message
      expect(verdict).toEqual({
        status: 'cancelled',
        change: { reason: 'cancelled_by_user', error: null },
        closing: {
          type: 'task.ended',
          data: { turn: 1, status: 'cancelled', reason: 'cancelled_by_user', message: told, branch: pushed ? task.branch : null },
        },
      })
    },
  )
  it('keeps what a cancelled turn failed of within the bound of a message', () => {
    const ended = { outcome: 'failed', reason: 'push_refused', message: 'x'.repeat(2_000) } as const
    const { closing } = judgeEnd({ ...task, cancel_requested_at: 5 }, ended, history)
    expect(NewEvent.safeParse(closing).success).toBe(true)
  })
  it('gives up on few runners, too, when it was interrupted again and again', () => {
    const ended = { outcome: 'interrupted', reason: 'runner_lost', message: null } as const
    const judged = (interruptedAttempts: number) => judgeEnd(task, ended, { ...history, interruptedAttempts })
    expect(judged(MAX_INTERRUPTED_ATTEMPTS)).toMatchObject({ status: 'failed', change: { reason: 'abandoned' } })
    expect(judged(MAX_INTERRUPTED_ATTEMPTS - 1).status).toBe('pending')
  })
  it('names the branch only when something is on it', () => {
    const ended = { outcome: 'completed', reason: 'done', message: null } as const
    expect(judgeEnd(task, ended, history).closing).toMatchObject({ data: { branch: null } })
    expect(judgeEnd(task, ended, { ...history, pushed: true }).closing).toMatchObject({ data: { branch: task.branch } })
  })
  it('keeps the address of a pull request', () => {
    expect(foldEvent(task, { type: 'pull_request.opened', data: { url: 'u', number: 1 } })).toEqual({ pull_request_url: 'u' })
    expect(foldEvent(task, { type: 'text.written', data: { text: '' } })).toEqual({})
  })
})

describe('closing what was left open', () => {
  it('closes tools before their turn, and what was closed not again', () => {
    const at = 1_000
    const pairs: PairRow[] = [
      { type: 'turn.started', at, turn: 1 },
      { type: 'tool.started', at, callId: 'a', name: 'read' },
      { type: 'tool.started', at, callId: 'b', name: 'bash' },
      { type: 'tool.ended', at, callId: 'a', name: 'read' },
    ]
    const ended = { outcome: 'interrupted', reason: 'runner_lost', message: null } as const
    const closed = closePairs(pairs, ended, 3_000)
    expect(closed).toMatchObject([
      { type: 'tool.ended', data: { callId: 'b', ok: false, durationMs: 2_000 } },
      { type: 'turn.ended', data: { turn: 1, outcome: 'interrupted', reason: 'runner_lost' } },
    ])
    const waits: PairRow[] = [
      { type: 'turn.started', at: 1, turn: 1 },
      { type: 'model.waiting', at: 5 },
      { type: 'model.waiting', at: 7 },
    ]
    expect(closePairs(waits, ended, 9)).toMatchObject([
      { type: 'model.resumed', data: { waitedMs: 4, answered: false } },
      { type: 'turn.ended' },
    ])
    expect(closePairs([...waits, { type: 'model.resumed', at: 8 }], ended, 9)).toMatchObject([{ type: 'turn.ended' }])
    expect(closePairs([], ended, 0)).toEqual([])
  })
})

describe('a turn that waits for the model', () => {
  const hour = 3_600_000
  const ended = { outcome: 'interrupted', reason: 'model_waiting', message: 'Overloaded' } as const
  const until = (ms: number) => new Date(ms).toISOString()
  const none = { inRow: 0, count: 0, ms: 0 }

  it('waits until the time that the runner named, and for a minute if that cannot be read', () => {
    expect(park({ ...ended, until: until(9 * hour) }, none, hour)).toEqual({ until: 9 * hour })
    expect(park({ ...ended, until: until(0) }, none, hour)).toEqual({ until: hour })
    for (const given of [undefined, 'tomorrow'])
      expect(park({ ...ended, until: given }, none, hour)).toEqual({ until: hour + 60_000 })
  })
  it('waits a day in total, and no more often than 200 times; then it says how long it was', () => {
    const day = (ms: number) => park({ ...ended, until: until(2 * hour) }, { ...none, ms }, hour)
    expect(day(23 * hour)).toEqual({ until: 2 * hour })
    expect(day(23 * hour + 1)).toEqual({
      tooLong:
        'Errand waited for the model for 23 hours in total. The next try would be in 60 minutes. Its last answer: Overloaded',
    })
    expect(park({ ...ended, until: until(hour) }, { ...none, count: MAX_PARKED }, hour)).toHaveProperty('tooLong')
  })
  it('is neither failed nor given up, however often it was interrupted', () => {
    const history = { interruptions: MAX_INTERRUPTIONS, interruptedAttempts: MAX_INTERRUPTED_ATTEMPTS, pushed: true }
    expect(judgeEnd(task, ended, { ...history, parking: { until: 7 } })).toEqual({
      status: 'pending',
      change: { reason: 'model_waiting', error: null, waiting_until: 7 },
      closing: null,
    })
    expect(judgeEnd(task, ended, { ...history, parking: { tooLong: 'for a day' } })).toMatchObject({
      status: 'failed',
      change: { reason: 'model_unavailable', error: expect.stringContaining('for a day') },
      closing: { data: { branch: task.branch } },
    })
    const cancelled = { ...task, cancel_requested_at: 1 }
    expect(judgeEnd(cancelled, ended, { ...history, parking: { until: 7 } }).status).toBe('cancelled')
  })
})

describe('settling store and queue', () => {
  const now = 1_000_000
  const seen = { now, upMs: 60_000, leaseMs: 30_000, released: [], runOut: [], queued: [] }
  it('restores what waits without a job, and takes back what should not wait', () => {
    const released = [
      { taskId: 'a', turn: 1, waitingUntil: null },
      { taskId: 'b', turn: 1, waitingUntil: null },
    ]
    const queued = [
      { taskId: 'a', turn: 1, pauses: false, task: { turn: 1, status: 'pending' as const, waiting_until: null } },
      { taskId: 'c', turn: 1, pauses: true, task: { turn: 1, status: 'cancelled' as const, waiting_until: null } },
      { taskId: 'd', turn: 1, pauses: false, task: { turn: 2, status: 'pending' as const, waiting_until: null } },
      { taskId: 'e', turn: 1, pauses: false, task: null },
    ]
    const { restore, withdraw } = settle({ ...seen, released, queued })
    expect(restore).toEqual([{ taskId: 'b', turn: 1, waitingUntil: null }])
    expect(withdraw.map(({ taskId }) => taskId)).toEqual(['c', 'd', 'e'])
  })
  it('brings back what still pauses in the queue though its wait for the model is over', () => {
    const pausing = (taskId: string, waiting_until: number | null, pauses = true) => ({
      taskId,
      turn: 1,
      pauses,
      task: { turn: 1, status: 'pending' as const, waiting_until },
    })
    const queued = [
      pausing('over', now - 2_000),
      pausing('about to come by itself', now - 500),
      pausing('waits', now + 60_000),
      pausing('pauses after an interruption', null),
      pausing('is there already', now - 2_000, false),
    ]
    expect(settle({ ...seen, queued }).bringBack.map(({ taskId }) => taskId)).toEqual(['over'])
  })
  it('leaves the queue alone while Redis is away', () => {
    expect(settle({ ...seen, released: [{ taskId: 'a', turn: 1, waitingUntil: null }], queued: null })).toMatchObject({
      restore: [],
      withdraw: [],
    })
  })
  it('judges leases only once every runner had the time to renew', () => {
    const runOut = [{ taskId: 'a', attempt: 1 }]
    expect(settle({ ...seen, runOut }).interrupt).toEqual(runOut)
    expect(settle({ ...seen, runOut, upMs: 29_999 }).interrupt).toEqual([])
  })
})

describe('judging leases only after an unbroken look', () => {
  const watchOn = () => {
    const clocks = { wallMs: 1_000_000, steadyMs: 500 }
    const unbrokenMs = watchUnbroken(10_000, () => ({ ...clocks }))
    return (wallMs: number, steadyMs = wallMs) => {
      clocks.wallMs += wallMs
      clocks.steadyMs += steadyMs
      return unbrokenMs()
    }
  }

  it('counts from the start, however busy the process is meanwhile', () => {
    const after = watchOn()
    expect([after(0), after(2_000), after(9_000), after(2_000)]).toEqual([0, 2_000, 11_000, 13_000])
  })

  it.each([
    ['the process stood still', 40_000, 40_000],
    ['the machine slept', 3_600_000, 2_000],
    ['the clock was set forward', 62_000, 2_000],
    ['the clock was set back', -3_598_000, 2_000],
  ])('begins anew after %s', (_what, wallMs, steadyMs) => {
    const after = watchOn()
    after(2_000)
    expect([after(wallMs, steadyMs), after(2_000), after(2_000)]).toEqual([0, 2_000, 4_000])
  })
})

describe('signatures', () => {
  const signatures = createSignatures(createSecrets(Buffer.alloc(32, 1)).deriveKey)
  const others = createSignatures(createSecrets(Buffer.alloc(32, 2)).deriveKey)
  it('believes its own jobs alone, word for word', () => {
    const job = signatures.signJob('tsk_a', 1)
    expect(signatures.isOurJob(job)).toBe(true)
    for (const forged of [
      { ...job, turn: 2 },
      { ...job, taskId: 'tsk_b' },
      { ...job, signature: '' },
      others.signJob('tsk_a', 1),
    ])
      expect(signatures.isOurJob(forged)).toBe(false)
  })
  it('believes an entry signed with the key of its attempt, unchanged', () => {
    const entry = { taskId: 'tsk_a', attempt: 1, n: 1, at: new Date().toISOString(), body: '{}', signature: '' }
    expect(signatures.isEntry(entry)).toBe(false)
    const { signature } = signatures.signWord('tsk_a', 1, { type: 'refused', n: 0 })
    expect(signatures.isEntry({ ...entry, signature })).toBe(false)
    expect(signedEntryText({ ...entry, n: 2 })).not.toBe(signedEntryText(entry))
    expect(signatures.attemptKey('tsk_a', 1)).toMatch(/^[0-9a-f]{64}$/)
    expect(signatures.attemptKey('tsk_a', 1)).not.toBe(signatures.attemptKey('tsk_a', 2))
  })
})

describe('names', () => {
  it('gives ids that BullMQ, git and a container label all take', () => {
    const ids = Array.from({ length: 500 }, newTaskId)
    for (const id of ids) expect(id).toMatch(/^tsk_[a-z2-7]{16}$/)
    expect(new Set(ids).size).toBe(500)
  })
  it('makes a branch of any prompt', () => {
    expect(branchOf('t', 'Fix the FAILING test in src/a.ts, please now!')).toBe('errand/t/fix-the-failing-test-in-srcats')
    expect(branchOf('t', '日本語 🙂')).toBe('errand/t/work')
    expect(branchOf('t', '-- .lock ~^: ..')).toBe('errand/t/lock')
    expect(branchOf('t', 'x'.repeat(99)).length).toBeLessThanOrEqual('errand/t/'.length + 40)
  })
})

describe('the title of a notification', () => {
  it('is one clean line, cut between letters', () => {
    expect(titleOf('\n\n  first\u0007 line  \r\nsecond')).toBe('first  line')
    expect(titleOf('👩'.repeat(200))).toBe(`${'👩'.repeat(79)}…`)
  })
})
