import { describe, expect, it } from '@jest/globals'
import { findPlaces } from '../../../../app/src/task/log/find-places.ts'
import { logChunks } from '../../../../app/src/task/log/log-text.ts'

const RED = '\u001b[31m'
const OFF = '\u001b[0m'
function lines(count: number, line = (n: number) => `line ${n}`) {
  return Array.from({ length: count }, (_, index) => `${line(index + 1)}\n`).join('')
}

describe('the pieces of an output', () => {
  it('are whole lines, a hundred each, and together all of it', () => {
    for (const text of ['', 'one', '\n', lines(100), `${lines(250)}the end`, lines(40, (n) => 'x'.repeat(n * 50))]) {
      const chunks = logChunks(text)
      expect(chunks.join('')).toBe(text)
      for (const chunk of chunks.slice(0, -1)) expect(chunk.endsWith('\n')).toBe(true)
    }
    expect(logChunks(`${lines(250)}the end`).map((chunk) => chunk.split('\n').length)).toEqual([101, 101, 51])
  })

  it('stay the same while the text grows at its end, but for the last two', () => {
    const text = lines(3_000, (n) => 'x'.repeat((n * 37) % 700))
    const whole = logChunks(text)
    for (let at = 0; at < text.length; at += 9_973) {
      const grown = logChunks(text.slice(0, at))
      expect(whole.slice(0, Math.max(0, grown.length - 1))).toEqual(grown.slice(0, -1))
    }
  })

  it('are bounded when a line has no end, and cut no character in two', () => {
    const text = `before\n${'😀'.repeat(200_000)}\nafter`
    const chunks = logChunks(text)
    expect(chunks.join('')).toBe(text)
    expect(Math.max(...chunks.map(({ length }) => length))).toBeLessThanOrEqual(20_000)
    for (const chunk of chunks) expect(Buffer.from(chunk).toString()).toBe(chunk)
  })

  it('go on with the colours that the one before left on', () => {
    const [first, second, third] = logChunks(`${RED}${lines(150)}${OFF}${lines(150)}`)
    expect(first?.startsWith(RED)).toBe(true)
    expect(second?.startsWith(`${RED}line 101\n`)).toBe(true)
    expect(third?.startsWith('line 51\n')).toBe(true)
  })

  it('of five megabytes are made in a moment', () => {
    const text = lines(100_000, (n) => `${RED}${n}${OFF} ${'word '.repeat(8)}`)
    expect(text.length).toBeGreaterThan(5_000_000)
    const began = performance.now()
    expect(logChunks(text)).toHaveLength(1_000)
    expect(findPlaces([text], 'WORD')).toHaveLength(1_000)
    // About a tenth of it on a slow machine; work in the square of the length takes minutes.
    expect(performance.now() - began).toBeLessThan(2_000)
  })
})

describe('the places of a word', () => {
  const found = (texts: readonly string[], wanted: string) =>
    findPlaces(texts, wanted).map(({ start, end }) => [start.text, start.at, end.text, end.at])

  it('are found whatever its case, one after the other', () => {
    expect(found(['Error: an error'], 'error')).toEqual([
      [0, 0, 0, 5],
      [0, 10, 0, 15],
    ])
    expect(found(['aaaa'], 'aa')).toEqual([
      [0, 0, 0, 2],
      [0, 2, 0, 4],
    ])
    expect(found(['any'], '')).toEqual([])
    expect(found([], 'any')).toEqual([])
  })

  it('reach over the borders of texts, also empty ones, and are the same however the text is cut', () => {
    expect(found(['a wo', '', 'rd', ' and word'], 'word')).toEqual([
      [0, 2, 2, 2],
      [3, 5, 3, 9],
    ])
    const text = 'one word, two words'
    for (let at = 0; at <= text.length; at++) {
      const texts = [text.slice(0, at), text.slice(at)]
      const places = findPlaces(texts, 'word').map(({ start, end }) => {
        const offset = (place: { text: number; at: number }) => place.at + (place.text === 1 ? at : 0)
        return text.slice(offset(start), offset(end))
      })
      expect(places).toEqual(['word', 'word'])
    }
  })

  it('do not shift where lower case is longer', () => {
    expect(found(['İstanbul word'], 'word')).toEqual([[0, 9, 0, 13]])
  })
})
