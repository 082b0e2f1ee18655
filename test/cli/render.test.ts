import { describe, expect, it } from '@jest/globals'
import { columnsOf } from '../../cli/show/layout.ts'
import { addDelta, NO_TEXT, renderLive } from '../../cli/show/live.ts'
import { renderEvent } from '../../cli/show/render.ts'
import { nextSteps } from '../../cli/show/render-end.ts'
import { advance, emptyView, type View } from '../../cli/show/view.ts'
import type { NewEvent, TaskEvent } from '../../contract/api/event.ts'

const LOOK = { width: 80, colour: false }
const START = Date.parse('2026-11-21T10:00:00Z')

type Told = NewEvent & { ms?: number; attempt?: number }

/** Numbers the events, one 400 ms after the other, and renders them all. */
function tell(events: Told[], look = LOOK): { lines: string[]; view: View } {
  let view = emptyView()
  const lines: string[] = []
  events.forEach(({ ms = 400, ...event }, i) => {
    const at = new Date((view.at || START) + ms).toISOString()
    const full = { attempt: 1, ...event, taskId: 'tsk_1', seq: i + 1, at } as TaskEvent
    lines.push(...renderEvent(view, full, look))
    view = advance(view, full)
  })
  return { lines, view }
}

const CREATED: Told = {
  type: 'task.created',
  data: { repoUrl: 'https://example.org/a/b', baseBranch: null, model: 'claude-opus-5-5', budgetUsd: 5, demo: true },
}
const REAL = { ...CREATED, data: { ...CREATED.data, demo: false } } as Told
const ASKED: Told = {
  type: 'message.received',
  data: { messageId: 'm', turn: 1, text: 'Fix the failing test.', mode: null, clientId: null },
}
const BOOT: Told[] = [
  { type: 'attempt.started', data: { turn: 1, runner: 'host-1' }, ms: 1_200 },
  { type: 'sandbox.ready', data: { node: 'v24.1.0' } },
  {
    type: 'repo.cloned',
    data: { baseBranch: 'main', commit: 'abc1234def', branch: 'errand/1/fix', resumed: false },
  },
  { type: 'turn.started', data: { turn: 1, model: 'claude-opus-5-5' } },
]
function call(name: string, input: unknown, output: string, exitCode: number | null, ok = true): Told[] {
  return [
    { type: 'tool.started', data: { callId: name, name, title: `a ${name} call`, input } },
    {
      type: 'tool.ended',
      data: { callId: name, name, ok, output, outputBytes: output.length, exitCode, durationMs: 640 },
    },
  ]
}
const USED: Told = {
  type: 'usage.counted',
  data: {
    model: 'claude-opus-5-5',
    estimated: false,
    inputTokens: 100,
    outputTokens: 50,
    cacheReadTokens: 900,
    cacheWriteTokens: 0,
    costUsd: 0.0123,
  },
}
const DONE: Told[] = [
  { type: 'branch.pushed', data: { branch: 'errand/1/fix', commit: 'fff0000aaa' } },
  {
    type: 'turn.ended',
    data: {
      turn: 1,
      outcome: 'completed',
      reason: 'done',
      summary: 'It passes now.',
      message: null,
      diff: { files: 2, insertions: 4, deletions: 1 },
    },
  },
  { type: 'attempt.ended', data: { outcome: 'completed', reason: 'done', message: null } },
  {
    type: 'task.ended',
    data: { turn: 1, status: 'completed', reason: 'done', message: null, branch: 'errand/1/fix' },
  },
]

describe('what a person reads of a task', () => {
  it('begins with the prompt, where, with what, and that it is a demo', () => {
    const { lines } = tell([CREATED, ASKED])
    expect(lines.join('\n')).toMatch(/› Fix the failing test\.\n {2}https:\/\/example.org\/a\/b\n {2}DEMO/)
  })

  it('checks off the way to a ready sandbox, with the time of each step', () => {
    expect(tell([CREATED, ASKED, ...BOOT]).lines.filter((line) => line.startsWith('✓'))).toEqual([
      '✓ picked up by host-1  1.2 s',
      '✓ sandbox ready  400 ms',
      '✓ cloned main@abc1234 for errand/1/fix  400 ms',
    ])
  })

  it('shows a command with its end: a mark, the exit code, the time, and the last lines of a failure', () => {
    const output = `exit_code: 1\nwall_time: 0.6 s\n${Array.from({ length: 40 }, (_, i) => `line ${i}`).join('\n')}`
    const { lines } = tell([...BOOT, ...call('bash', { command: 'npm test' }, output, 1)])
    const short = tell(call('bash', { command: 'true' }, 'exit_code: 0\nwall_time: 0.1 s\n(no output)', 0))
    const from = lines.indexOf('✗ $ npm test  exit 1 · 640 ms')
    expect(from).toBeGreaterThan(0)
    expect(lines[from + 1]).toMatch(/^ {4}… \d+ lines above/)
    expect(lines.at(-2)).toBe('    line 39')
    expect(short.lines).toEqual(['✓ $ true  640 ms'])
  })

  it('shows few lines of what went well, and none of a file that was read', () => {
    const output = Array.from({ length: 40 }, (_, i) => `line ${i}`).join('\n')
    expect(tell(call('bash', { command: 'ls' }, output, 0)).lines.filter((line) => /line \d+$/.test(line)).length).toBeLessThan(
      10,
    )
    expect(tell(call('read', { file_path: '/workspace/repository/src/a.js' }, output, null)).lines).toEqual(['✓ read src/a.js'])
  })

  it('shows of an edit only the lines that change', () => {
    const input = { file_path: '/workspace/repository/src/a.js', old_string: 'same\nold\nend', new_string: 'same\nnew\nend' }
    expect(tell(call('edit', input, 'ok', null)).lines).toEqual(['✓ edit src/a.js  +1 −1', '    - old', '    + new', ''])
  })

  it('tells of a blocked host, of an interruption and of the next attempt', () => {
    const { lines } = tell([
      { type: 'host.blocked', data: { host: 'example.com', method: 'GET', advice: 'Ask for it.' } },
      { type: 'attempt.ended', data: { outcome: 'interrupted', reason: 'runner_lost', message: null } },
      { type: 'attempt.started', data: { turn: 1, runner: 'host-2' }, attempt: 2 },
    ])
    expect(lines.join('\n')).toMatch(
      /! blocked: GET example\.com\. Ask for it\.\n[\s\S]*! interrupted: The runner was lost\.\n[\s\S]*↻ attempt 2, on host-2/,
    )
  })

  it('tells that the conversation was summarised, and how much shorter it is', () => {
    const { lines } = tell([{ type: 'context.compacted', data: { beforeTokens: 151_234, afterTokens: 8_001, bySummary: true } }])
    expect(lines).toEqual(['✓ conversation summarised: about 152k tokens before, 9k after'])
  })

  it('tells a note of Errand’s own', () => {
    const note: Told = { type: 'note.written', data: { text: 'A fresh conversation continues.' } }
    expect(tell([note]).lines).toEqual(['! A fresh conversation continues.'])
  })

  it('marks a text that the agent was stopped in', () => {
    const { lines } = tell([{ type: 'text.written', data: { text: 'It is', cutOff: true } }])
    expect(lines).toEqual(['', 'It is', '■ stopped here, in the middle of the answer', ''])
  })

  it('speaks of no other attempt in a second turn that was not interrupted', () => {
    const { lines } = tell([
      ...[CREATED, ASKED, ...BOOT, ...DONE],
      { type: 'message.received', data: { messageId: 'n', turn: 2, text: 'More.', mode: null, clientId: null } },
      { type: 'attempt.started', data: { turn: 2, runner: 'host-2' }, attempt: 2 },
    ])
    expect(lines.at(-1)).toMatch(/picked up by host-2/)
  })

  it('says of a command that a Stop ended that it was cut off, and not that it failed', () => {
    const { lines } = tell([
      ...[CREATED, ASKED, ...BOOT],
      { type: 'tool.started', data: { callId: 'c', name: 'bash', title: 'wait', input: { command: 'sleep 60' } } },
      {
        type: 'tool.ended',
        data: {
          callId: 'c',
          name: 'bash',
          ok: false,
          outputBytes: 0,
          exitCode: 143,
          durationMs: 2_000,
          output: 'exit_code: 143\nwall_time: 2.0 s\nended: the task was stopped\n(no output)',
        },
      },
    ])
    expect(lines.find((line) => line.includes('sleep 60'))).toMatch(/^■ .*cut off/)
  })

  it('ends with the outcome, the branch, the size of the change, the cost and the time', () => {
    const text = tell([REAL, ASKED, ...BOOT, USED, USED, ...DONE]).lines.join('\n')
    expect(text).toMatch(/claude-opus-5-5 · at most \$5\.00/)
    expect(text).toMatch(/✓ completed\n/)
    expect(text).toMatch(/It passes now\./)
    expect(text).toMatch(/branch +errand\/1\/fix/)
    expect(text).toMatch(/changes +2 files, \+4 −1/)
    expect(text).not.toContain('own account')
    expect(text).toMatch(/cost +\$0\.0246 +2,000 tokens in \(90% from the cache\) · 100 out/)
    expect(text).toMatch(/time +\d+\.\d s/)
  })

  it('says what was left out although the task is completed', () => {
    const [pushed, ...rest] = DONE
    const message = 'Left out, because it looks like an environment or key file: .env.'
    const ended = rest.map((event) => (event.type === 'turn.ended' ? { ...event, data: { ...event.data, message } } : event))
    const text = tell([REAL, ASKED, ...BOOT, ...(pushed ? [pushed] : []), ...(ended as Told[])]).lines.join(' ')
    expect(text.replace(/\s+/g, ' ')).toContain(message)
  })

  it('says that the numbers are the agent’s own when nothing was pushed that Errand could read', () => {
    const unread = DONE.map((told) => (told.type === 'turn.ended' ? { ...told, data: { ...told.data, commit: null } } : told))
    expect(tell(unread as Told[]).lines.join('\n')).toMatch(/changes +2 files, \+4 −1 \(the agent's own account\)/)
  })

  it('says of a demo that it is one, and that it costs nothing', () => {
    const text = tell([CREATED, ASKED, ...BOOT, USED, ...DONE]).lines.join('\n')
    expect(text).toMatch(/✓ completed +DEMO/)
    expect(text).toMatch(/cost +\$0 \(demo\) /)
    expect(text).not.toMatch(/0\.0123/)
    expect(text).not.toMatch(/claude/)
  })

  it('does not say the summary twice when it was the last text', () => {
    const { lines } = tell([CREATED, { type: 'text.written', data: { text: 'It passes now.' } }, ...DONE])
    expect(lines.filter((line) => line.includes('It passes now.'))).toHaveLength(1)
  })

  it('says why a task failed and what to do', () => {
    const end: Told = {
      type: 'task.ended',
      data: { turn: 1, status: 'failed', reason: 'credentials_refused', message: 'github.com answered 403.', branch: null },
    }
    expect(tell([CREATED, end]).lines.join(' ').replace(/\s+/g, ' ')).toMatch(
      /✗ failed.*Set a valid token.*github\.com answered 403/,
    )
  })

  it('gives the command that sets the missing access, for the host of the repository', () => {
    const server = { url: 'https://errand.example.org', token: 't', dataDir: null }
    const stepsAfter = (reason: 'credentials_refused' | 'repository_not_found' | 'stuck') => {
      const data = { turn: 1, status: 'failed', reason, message: null, branch: null } as const
      return nextSteps(tell([REAL, ASKED, { type: 'task.ended', data }]).view, server, LOOK)
    }
    const access = ['', '  access   errand credentials set example.org < token.txt', '']
    expect([stepsAfter('credentials_refused'), stepsAfter('repository_not_found')]).toEqual([access, access])
    expect(stepsAfter('stuck')).toEqual([''])
  })

  it('shows a message that waits, and where it ended up', () => {
    const message = (messageId: string, text: string, mode: 'steer' | 'queue'): Told => ({
      type: 'message.received',
      data: { messageId, turn: 1, text, mode, clientId: null },
    })
    const { lines, view } = tell([
      CREATED,
      ASKED,
      message('s', 'Faster.', 'steer'),
      message('q', 'Then the README.', 'queue'),
      message('w', 'Never mind.', 'queue'),
      { type: 'message.delivered', data: { messageId: 's', turn: 1 } },
      { type: 'message.withdrawn', data: { messageId: 'w' } },
    ])
    const told = lines.join('\n')
    expect(told).toMatch(/› Faster\.\n.*queued: delivered after the current step/)
    expect(told).toMatch(/✓ delivered to turn 1: Faster\./)
    expect(told).toContain('withdrawn: Never mind.')
    expect([...view.waiting.values()]).toEqual(['Then the README.'])
  })

  it('lets no control sequence of a sandbox reach the terminal, and no line grow wider than it is', () => {
    const hostile = `\u001b]0;title\u0007\u001b[2J\u202egnirts ${'wide字'.repeat(60)} ${'x'.repeat(300)}`
    const { lines } = tell([
      CREATED,
      { type: 'message.received', data: { messageId: 'm', turn: 1, text: hostile, mode: null, clientId: null } },
      { type: 'attempt.started', data: { turn: 1, runner: hostile } },
      { type: 'repo.cloned', data: { baseBranch: hostile, commit: hostile, branch: hostile, resumed: false } },
      { type: 'text.written', data: { text: hostile } },
      { type: 'note.written', data: { text: hostile } },
      ...call('bash', { command: hostile }, hostile, 1),
      ...call('edit', { file_path: hostile, old_string: hostile, new_string: 'b' }, hostile, null),
      ...call('strange', hostile, hostile, null, false),
      { type: 'host.blocked', data: { host: hostile, method: 'GET', advice: hostile } },
      { type: 'branch.pushed', data: { branch: hostile, commit: hostile } },
    ])
    expect(lines.join('')).not.toMatch(/\p{Cc}|[\u202a-\u202e]/u)
    expect(Math.max(...lines.map(columnsOf))).toBeLessThanOrEqual(LOOK.width)
  })
})

describe('what moves below', () => {
  it('puts the pieces of a text together, shows a gap, and begins anew with another attempt', () => {
    const say = (offset: number, text: string, attempt = 1) => ({ taskId: 't', attempt, offset, text })
    let live = addDelta(addDelta(NO_TEXT, say(0, 'Hello ')), say(6, 'world'))
    expect(live.text).toBe('Hello world')
    live = addDelta(live, say(6, 'there'))
    expect(live.text).toBe('Hello there')
    expect(addDelta(live, say(20, 'end')).text).toMatch(/^Hello there…\s+end$/)
    expect(addDelta(live, say(0, 'Anew', 2)).text).toBe('Anew')
  })

  it('shows the tool that runs and for how long, and never more lines than there is room for', () => {
    const { view } = tell([CREATED, ASKED, ...BOOT, call('bash', { command: 'npm test' }, '', 0)[0] as Told])
    const live = { attempt: 1, text: 'word '.repeat(500) }
    const lines = renderLive(view, live, true, view.at + 3_000, LOOK, 8)
    expect(lines).toHaveLength(8)
    expect(lines.join('\n')).toMatch(/\$ npm test {2}3\.0 s/)
    expect(renderLive(view, NO_TEXT, false, view.at, LOOK, 8).join('\n')).toMatch(/connection lost, reconnecting/)
  })
})
