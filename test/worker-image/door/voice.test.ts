import { PassThrough } from 'node:stream'
import { describe, expect, it } from '@jest/globals'
import { LIMITS } from '../../../contract/api/limits.ts'
import { createVoice } from '../../../worker-image/door/voice.ts'
import { waitFor } from '../../support/checks/wait.ts'
import { eventsOf, readLines } from '../errand.ts'

const TOKEN = '~tok_0123456789abcdef'

function startVoice() {
  const output = new PassThrough()
  let written = ''
  output.setEncoding('utf8').on('data', (piece: string) => {
    written += piece
  })
  const voice = createVoice({ output, secrets: [TOKEN], gatherMs: 5 })
  const deltas = () => readLines(written).flatMap((line) => (line.type === 'delta' ? [line] : []))
  return { voice, output, lines: () => readLines(written), deltas }
}

function ended(output: string) {
  return {
    type: 'tool.ended' as const,
    data: { callId: 'c', name: 'bash', ok: true, output, outputBytes: 1, exitCode: 0, durationMs: 1 },
  }
}

describe('the voice', () => {
  it('shows the output of a running command beside the text, with its own count', () => {
    const { voice, deltas } = startVoice()
    voice.output('a', 'one\n')
    voice.output('a', `two ${TOKEN}\n`)
    voice.output('b', 'other\n')
    expect(deltas().map(({ callId, offset }) => [callId, offset])).toEqual([
      ['a', 0],
      ['a', 4],
      ['b', 0],
    ])
    expect(JSON.stringify(deltas())).not.toContain(TOKEN)
  })

  it('gathers deltas, and counts from the last text that was written', async () => {
    const { voice, deltas } = startVoice()
    for (const piece of ['one ', 'two ', 'three']) voice.delta(piece)
    await waitFor('the first delta', () => deltas().length > 0)
    voice.delta(' four')
    await waitFor('the second delta', () => deltas().length > 1)
    voice.emit({ type: 'text.written', data: { text: 'one two three four' } })
    voice.delta('next')
    await waitFor('the third delta', () => deltas().length > 2)
    expect(deltas().map(({ offset, text }) => [offset, text])).toEqual([
      [0, 'one two three'],
      [13, ' four'],
      [0, 'next'],
    ])
  })

  it('begins again after text that does not count', async () => {
    const { voice, deltas } = startVoice()
    voice.delta('dropped')
    await waitFor('the delta', () => deltas().length > 0)
    voice.discard()
    voice.delta('kept')
    await waitFor('the delta after it', () => deltas().length > 2)
    expect(deltas().map(({ offset, text }) => [offset, text])).toEqual([
      [0, 'dropped'],
      [0, ''],
      [0, 'kept'],
    ])
  })

  it('never says the token, not even in pieces', async () => {
    const { voice, lines, deltas } = startVoice()
    voice.emit(ended(`token: ${TOKEN}`))
    voice.delta(`see ${TOKEN.slice(0, 9)}`)
    await waitFor('what is before it', () => deltas().length > 0)
    voice.delta(`${TOKEN.slice(9)}!`)
    await waitFor('the rest', () => deltas().length > 1)
    expect(JSON.stringify(lines())).not.toMatch(/tok_|abcdef/)
    expect(deltas().map(({ text }) => text)).toEqual(['see ', '[redacted]!'])
  })

  it('keeps every event within the bounds of the contract', async () => {
    const { voice, lines } = startVoice()
    const long = 'é'.repeat(200_000)
    voice.emit({ type: 'text.written', data: { text: long } })
    voice.emit(ended(long))
    voice.emit({
      type: 'tool.started',
      data: { callId: 'c', name: 'write', title: long, input: { file_path: 'a', content: long } },
    })
    voice.emit({
      type: 'turn.ended',
      data: { turn: 1, outcome: 'completed', reason: 'done', summary: long, message: long, diff: null },
    })
    voice.delta(long)
    await voice.flush()
    // `readLines` parses with the contract's schema, and so throws on anything that is out of bounds.
    expect(eventsOf(lines(), 'text.written').map(({ text }) => text.length)).toEqual([60_000, 60_000, 60_000, 20_000])
    expect(Math.max(...lines().map((line) => Buffer.byteLength(JSON.stringify(line))))).toBeLessThan(LIMITS.lineBytes)
  })

  it('marks only the end of a text that was cut off', async () => {
    const { voice, lines } = startVoice()
    voice.emit({ type: 'text.written', data: { text: 'x'.repeat(LIMITS.textChars + 1), cutOff: true } })
    await voice.flush()
    expect(eventsOf(lines(), 'text.written').map(({ text, cutOff }) => [text.length, cutOff])).toEqual([
      [LIMITS.textChars, undefined],
      [1, true],
    ])
  })

  it('leaves deltas out while nobody reads, and no event', async () => {
    const { voice, output, lines, deltas } = startVoice()
    output.pause()
    for (let count = 0; count < 100; count++) voice.emit(ended('x'.repeat(1000)))
    voice.delta('live')
    const since = performance.now()
    await waitFor('many times the time in which deltas are gathered', () => performance.now() - since > 100)
    expect(output.readableLength + output.writableLength).toBeLessThan(120_000)
    expect(deltas()).toEqual([])
    output.resume()
    await waitFor('the delta', () => deltas().length === 1)
    expect(eventsOf(lines(), 'tool.ended')).toHaveLength(100)
  })
})
