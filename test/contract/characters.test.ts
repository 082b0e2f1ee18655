import { PassThrough } from 'node:stream'
import { describe, expect, it } from '@jest/globals'
import { previewOf } from '../../app/src/task/text/output-preview.ts'
import { addOutput } from '../../client/feed.ts'
import type { EventData } from '../../contract/api/event.ts'
import { LIMITS } from '../../contract/api/limits.ts'
import { lastText } from '../../contract/api/tool-output.ts'
import { cutCharacters, piecesOf } from '../../contract/shared/characters.ts'
import { judgeEnd } from '../../coordinator/attempts/judge-end.ts'
import { park } from '../../coordinator/attempts/park.ts'
import { titleOf } from '../../coordinator/notify/should-notify.ts'
import type { TaskRow } from '../../coordinator/store/tasks.ts'
import { decideEnd } from '../../runner/attempt/attempt-end.ts'
import { turnTruth } from '../../runner/attempt/turn-truth.ts'
import { createVoice } from '../../worker-image/door/voice.ts'
import { shrinkInput } from '../../worker-image/tools/output.ts'
import { plainWords } from '../../worker-image/workspace/fault.ts'
import { waitFor } from '../support/checks/wait.ts'
import { readLines } from '../worker-image/errand.ts'

/** One character as people see it: four people in eleven UTF-16 units, which divide no bound of ours evenly. */
const FAMILY = '👨‍👩‍👧‍👦'
const MANY = FAMILY.repeat(12_000)
const ROW = { cancel_requested_at: null, cost_usd: 0, input_tokens: 0 } as TaskRow

/** @returns what is left of families that were cut, also as JSON spells a half of a surrogate pair */
function halvesIn(text: string): string[] {
  return text.replaceAll(FAMILY, '').match(/[\ud800-\udfff\u200d]|\\ud[0-9a-f]{3}/g) ?? []
}

describe('a text that is too long for where a person reads it', () => {
  const interrupted = { outcome: 'interrupted', reason: 'runner_lost', message: MANY } as const
  const turn: EventData<'turn.ended'> = { turn: 1, outcome: 'failed', reason: 'stuck', message: MANY, summary: '', diff: null }
  const often = { interruptions: 99, interruptedAttempts: 99, pushed: false }
  const texts: Record<string, () => unknown> = {
    'the title of a notification': () => titleOf(MANY),
    'the end of an output': () => previewOf({ output: `\n${MANY}`, outputBytes: 1 }).text,
    'the newest output of a command': () => addOutput(null, { taskId: 't', attempt: 1, callId: 'c', offset: 0, text: MANY }).text,
    'the last interruption': () => judgeEnd(ROW, interrupted, often),
    'what had failed before a cancel': () =>
      judgeEnd({ ...ROW, cancel_requested_at: 1 }, { ...interrupted, outcome: 'failed', reason: 'stuck' }, often),
    'why a wait is given up': () => park({ ...interrupted, reason: 'model_waiting' }, { ms: 1e9, count: 1, inRow: 1 }, 0),
    'the fault of a host': () =>
      decideEnd({ turn: null, stop: null, fault: { reason: 'host_disk_full', message: MANY }, sandbox: null }),
    'the end of a turn whose branch could not be read': () => turnTruth(turn, { what: 'unread' }),
    'the words of git': () => plainWords(MANY),
    'the input of a call': () => shrinkInput({ text: MANY }, LIMITS.toolInputChars),
    'an input of many fields': () => shrinkInput(Array(5_000).fill(FAMILY), LIMITS.toolInputChars),
  }

  it.each(Object.entries(texts))('%s is cut between two characters', (_what, text) => {
    const shown = JSON.stringify(text())
    expect(shown).toContain(FAMILY)
    expect(halvesIn(shown)).toEqual([])
  })

  it("so is everything that the agent's voice cuts", async () => {
    const output = new PassThrough()
    let written = ''
    output.setEncoding('utf8').on('data', (piece: string) => {
      written += piece
    })
    const voice = createVoice({ output, secrets: [], gatherMs: 1 })
    voice.output('c', MANY)
    voice.delta(MANY.slice(0, FAMILY.length * 2_000))
    await waitFor('the text in pieces', () => written.split('"delta"').length > 4)
    const data = { callId: 'c', name: 'bash', ok: true, output: MANY, outputBytes: 1, exitCode: 0, durationMs: 1 }
    voice.emit({ type: 'tool.ended', data })
    voice.emit({ type: 'text.written', data: { text: MANY } })
    voice.emit({ type: 'turn.ended', data: { ...turn, outcome: 'completed', reason: 'done', summary: MANY } })
    await voice.flush()
    const lines = readLines(written)
    expect(lines.flatMap((line) => halvesIn(JSON.stringify(line)))).toEqual([])
    const pieces = lines.flatMap((line) => (line.type === 'text.written' ? [line.data.text] : []))
    expect(pieces.length).toBeGreaterThan(1)
    expect(pieces.join('')).toBe(MANY)
  })
})

describe('cutting between characters', () => {
  it('counts characters as people see them, and marks the cut', () => {
    expect(cutCharacters(MANY, 3)).toBe(`${FAMILY}${FAMILY}…`)
    expect(cutCharacters(FAMILY.repeat(3), 3)).toBe(FAMILY.repeat(3))
    expect(cutCharacters(`e${'\u0301'.repeat(9_000)}`, 3).length).toBeLessThanOrEqual(40)
  })

  it('keeps the end, and loses nothing in pieces, whatever the size', () => {
    expect(lastText(MANY, 30)).toBe(FAMILY.repeat(2))
    expect(lastText(`a${FAMILY}`, 11)).toBe(FAMILY)
    expect(lastText(`e${'\u0301'.repeat(900)}`, 500)).toHaveLength(500)
    expect(lastText('👩'.repeat(900), 501)).toBe('👩'.repeat(250))
    expect(piecesOf(FAMILY.repeat(3), 25)).toEqual([FAMILY.repeat(2), FAMILY])
    expect(piecesOf(FAMILY, 4).join('')).toBe(FAMILY)
    expect(piecesOf('', 4)).toEqual([''])
  })
})
