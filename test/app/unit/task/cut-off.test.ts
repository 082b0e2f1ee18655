import { randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { addEvents } from '../../../../app/src/task/model/add-events.ts'
import { EMPTY_FEED, type Feed } from '../../../../app/src/task/model/feed.ts'
import { hasFailed } from '../../../../app/src/task/model/feed-items.ts'
import { countWork } from '../../../../app/src/task/text/work-summary.ts'
import type { EventData, NewEvent, TaskEvent } from '../../../../contract/api/event.ts'
import type { Outcome } from '../../../../contract/api/status.ts'
import { wasCutOff } from '../../../../contract/api/tool-output.ts'
import { closePairs } from '../../../../coordinator/attempts/open-pairs.ts'
import { createNesting } from '../../../../runner/attempt/nesting.ts'
import { createTools } from '../../../../worker-image/tools/index.ts'
import type { ToolResult } from '../../../../worker-image/tools/tool.ts'
import { waitFor } from '../../../support/checks/wait.ts'
import { closeAfterEach } from '../../../support/systems/closing.ts'
import { temporaryFolder } from '../../../support/systems/temporary.ts'

const closers = closeAfterEach()

/** What the agent's shell says of a command, which `signal` may end. */
async function shellSays(command: string, signal: AbortSignal) {
  const folder = await temporaryFolder()
  closers.push(folder.remove)
  const environment = { PATH: process.env.PATH ?? '' }
  const tools = createTools({
    directory: folder.path,
    scratch: join(folder.path, 'scratch'),
    environment,
    run: randomUUID(),
    graceMs: 300,
  })
  closers.push(tools.stop)
  const running = tools.run('bash', { command }, signal)
  return { folder: folder.path, running }
}
function endOf(events: readonly NewEvent[]): EventData<'tool.ended'> {
  const end = events.find(({ type }) => type === 'tool.ended')
  if (end?.type !== 'tool.ended') throw new Error('no call was ended')
  return end.data
}

describe('a call that was cut off', () => {
  it('is known by what the agent’s shell says of it, and not by what a command prints', async () => {
    const stop = new AbortController()
    const { folder, running } = await shellSays('touch began; sleep 60', stop.signal)
    await waitFor('the command', () => existsSync(join(folder, 'began')))
    stop.abort()
    const ended = ({ ok, output, cutOff, text }: ToolResult) => ({ ok, output: output ?? text, cutOff })
    expect(wasCutOff(ended(await running))).toBe(true)
    const liar = await (await shellSays('echo "ended: the task was stopped"; exit 1', new AbortController().signal)).running
    expect(wasCutOff(ended(liar))).toBe(false)
    const late = await (await shellSays('sleep 60', AbortSignal.timeout(50))).running
    expect(wasCutOff(ended(late))).toBe(true)
  })

  it('is known in an event of an earlier version by the sentence that stands there', () => {
    const heading = 'exit_code: 143\nwall_time: 2.0 s\n'
    for (const output of [
      `${heading}ended: the task was stopped\n(no output)`,
      `${heading}cwd is now: /tmp\nended: the task was stopped\n`,
      'The task was stopped before this call came to an end.',
      'The call was not run: the task was stopped.',
      'Cut off: what it did is not known.',
    ]) {
      expect(wasCutOff({ ok: false, output })).toBe(true)
      expect(wasCutOff({ ok: false, output, cutOff: false })).toBe(false)
    }
    expect(wasCutOff({ ok: false, output: `${heading}a line\nended: the task was stopped` })).toBe(false)
  })

  it('is known by what the runner and the coordinator say when an attempt ends under it', () => {
    const tree = createNesting(1, 'm')
    tree.admit({ type: 'turn.started', data: { turn: 1, model: 'm' } })
    tree.admit({ type: 'tool.started', data: { callId: 'c', name: 'bash', title: 't', input: {} } })
    const end = { outcome: 'cancelled', reason: 'cancelled_by_user', message: null } as const
    expect(wasCutOff(endOf(tree.close(end)))).toBe(true)
    expect(wasCutOff(endOf(closePairs([{ type: 'tool.started', callId: 'c', name: 'bash', at: 0 }], end, 1)))).toBe(true)
  })

  const feedOf = (call: Partial<EventData<'tool.ended'>>, outcome: Outcome, status: 'cancelled' | 'failed'): Feed => {
    const ended = { callId: 'c', name: 'bash', ok: false, output: '', outputBytes: 0, exitCode: null, durationMs: 1, ...call }
    const reason = outcome === 'cancelled' ? 'cancelled_by_user' : 'time_exceeded'
    const events: NewEvent[] = [
      { type: 'message.received', data: { messageId: 'm', turn: 1, text: 'Go', mode: null, clientId: null } },
      { type: 'tool.started', data: { callId: 'c', name: 'bash', title: 't', input: {} } },
      { type: 'tool.ended', data: ended },
      { type: 'turn.ended', data: { turn: 1, outcome, reason, summary: '', message: null, diff: null } },
      { type: 'task.ended', data: { turn: 1, status, reason, message: null, branch: null } },
    ]
    const at = new Date(0).toISOString()
    return addEvents(
      EMPTY_FEED,
      events.map((event, index) => ({ ...event, taskId: 't', attempt: 1, seq: index + 1, at }) as TaskEvent),
    )
  }
  const callIn = ({ items }: Feed) => {
    const work = items.find((item) => item.kind === 'work')
    const call = work?.kind === 'work' ? work.calls[0] : undefined
    if (!call) throw new Error('no call')
    return call
  }
  const CUT = { output: 'exit_code: 143\nwall_time: 2.0 s\nended: the task was stopped\n', exitCode: 143 }

  it('has not failed; a person’s cancel ended it', () => {
    const call = callIn(feedOf(CUT, 'cancelled', 'cancelled'))
    expect([hasFailed(call), call.cancelled, countWork([call]).failed]).toEqual([false, true, 0])
  })

  it('was not cancelled when the time was up', () => {
    const call = callIn(feedOf(CUT, 'failed', 'failed'))
    expect([hasFailed(call), call.cancelled]).toEqual([false, false])
  })

  it('is not one that had failed before the cancel', () => {
    for (const before of [{ ok: true, exitCode: 1 }, { output: 'The text was not found in the file.' }]) {
      const call = callIn(feedOf(before, 'cancelled', 'cancelled'))
      expect([hasFailed(call), call.cancelled]).toEqual([true, false])
    }
  })
})
