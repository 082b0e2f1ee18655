import { describe, expect, it } from '@jest/globals'
import { EVENT_DATA, EventType, NewEvent } from '../../contract/api/event.ts'
import { REASONS, textOfReason } from '../../contract/api/reason-texts.ts'
import { isEnded, MOVES, mayMove, TaskStatus } from '../../contract/api/status.ts'
import { costUsd, MODELS } from '../../contract/shared/models.ts'
import { branchPrefix } from '../../contract/wire/names.ts'
import { AGENT_EVENTS, AgentLine } from '../../contract/wire/sandbox.ts'

describe('the status table', () => {
  it('lets only a person take an ended task up again', () => {
    for (const move of MOVES.filter((m) => isEnded(m.from))) expect(move).toMatchObject({ to: 'pending', by: ['user'] })
  })

  it('leads out of every status', () => {
    for (const status of TaskStatus.options) expect(MOVES.some((move) => move.from === status)).toBe(true)
  })

  it('does not let an attempt start itself or end a waiting task', () => {
    expect(mayMove('pending', 'running', 'attempt')).toBe(false)
    expect(mayMove('pending', 'completed', 'attempt')).toBe(false)
    expect(mayMove('running', 'completed', 'attempt')).toBe(true)
  })
})

describe('an event', () => {
  it('has a schema for each of its types', () => {
    expect(Object.keys(EVENT_DATA)).toEqual(EventType.options)
  })

  it('is parsed with the schema of its type, and loses what the schema does not know', () => {
    expect(NewEvent.parse({ type: 'branch.pushed', data: { branch: 'b', commit: 'c', extra: 1 } })).toEqual({
      type: 'branch.pushed',
      data: { branch: 'b', commit: 'c' },
    })
    expect(NewEvent.safeParse({ type: 'branch.pushed', data: { branch: 1 } }).success).toBe(false)
  })
})

describe("a line of the sandbox's output", () => {
  it('may only say what the agent knows first-hand', () => {
    for (const type of ['usage.counted', 'branch.pushed', 'attempt.ended', 'task.ended'] as const) {
      expect(AGENT_EVENTS).not.toContain(type)
      expect(AgentLine.safeParse({ type, data: {} }).success).toBe(false)
    }
    expect(AgentLine.safeParse({ type: 'delta', offset: 0, text: 'hello' }).success).toBe(true)
  })
})

describe('the price of a call', () => {
  it('is the sum of its parts at the rates of the model', () => {
    const usage = {
      input_tokens: 1_000_000,
      output_tokens: 1_000_000,
      cache_read_input_tokens: 1_000_000,
      cache_creation_input_tokens: 2_000_000,
      cache_creation: { ephemeral_5m_input_tokens: 1_000_000, ephemeral_1h_input_tokens: 1_000_000 },
    }
    expect(costUsd('claude-opus-5-5', usage)).toBeCloseTo(4 + 20 + 0.2 + 5 + 8)
  })

  it('counts cache writes at the five-minute rate when the API does not say which', () => {
    expect(costUsd('claude-sonnet-5-5', { cache_creation_input_tokens: 1_000_000 })).toBeCloseTo(2.5)
  })

  it('takes the dearer tier for the whole request when the prompt is long', () => {
    expect(costUsd('claude-haiku-5-5', { input_tokens: 100_000 })).toBeCloseTo(0.01)
    expect(costUsd('claude-haiku-5-5', { input_tokens: 50_000, cache_read_input_tokens: 60_000 })).toBeCloseTo(0.025 + 0.003)
  })

  it('is never nothing for a model that is not known', () => {
    const dearest = Math.max(...Object.values(MODELS).map((model) => model.output))
    expect(costUsd('claude-unheard-of', { output_tokens: 1_000_000 })).toBe(dearest)
  })
})

describe('the branch prefix of a task', () => {
  it('is no beginning of another task’s prefix', () => {
    expect(branchPrefix('tsk_10').startsWith(branchPrefix('tsk_1'))).toBe(false)
  })
})

describe('the text of a reason', () => {
  it.each(Object.entries(REASONS))('says what a person can do, and points to no log: %s', (_reason, words) => {
    expect(words).not.toMatch(/\blogs?\b|stack|127\.0\.0\.1/i)
  })

  it.each(['abandoned', 'runner_unwell'] as const)('names the administrator where only they can help: %s', (reason) => {
    expect(REASONS[reason]).toMatch(/administrator/)
  })
})

describe('a reason that had another name', () => {
  it('is read by it, and has its text', () => {
    const event = { type: 'attempt.ended', data: { outcome: 'failed', reason: 'turns_exceeded', message: null } }
    expect(NewEvent.parse(event)).toEqual({ ...event, data: { ...event.data, reason: 'steps_exceeded' } })
    expect(textOfReason('turns_exceeded')).toBe(REASONS.steps_exceeded)
    expect([
      textOfReason('from_a_newer_version'),
      NewEvent.safeParse({ ...event, data: { ...event.data, reason: 'x' } }).success,
    ]).toEqual(['', false])
  })
})
