import { describe, expect, it } from '@jest/globals'
import { boundResults } from '../../../../worker-image/agents/own/bound-results.ts'
import type { ImageBlock } from '../../../../worker-image/tools/tool.ts'
import { endOf, eventsOf, startErrand } from '../../errand.ts'
import { answer, bash, call, inTurn, text } from '../../policies.ts'

const lines = (n: number) => Array.from({ length: n }, (_, at) => `line ${at} ${'x'.repeat(80)}`).join('\n')
const image = (chars: number): ImageBlock => ({
  type: 'image',
  source: { type: 'base64', media_type: 'image/png', data: 'A'.repeat(chars) },
})
const total = (shown: ReturnType<typeof boundResults>) => shown.reduce((sum, one) => sum + one.text.length, 0)
const longest = (shown: string) => Math.max(...shown.split('\n').map((line) => line.length))

describe('the results of one answer', () => {
  it('stay whole while they are short', () => {
    const text = 'one\n👩‍💻 two\n'
    expect(boundResults([{ text }, { text: '' }])).toEqual([
      { text, image: null },
      { text: '', image: null },
    ])
  })

  it('have no line of more than 2,000 characters; the place is marked, and no character is cut in two', () => {
    for (const long of ['x'.repeat(1_500_000), '👍'.repeat(3000), `a${'👍'.repeat(3000)}`, `${'👍'.repeat(3000)}a`]) {
      const [shown] = boundResults([{ text: `before\n${long}\nafter` }])
      expect(longest(shown?.text ?? '')).toBeLessThanOrEqual(2000)
      expect(shown?.text).toMatch(/^before\n.*\[… \d+ characters of this line left out …\].*\nafter$/su)
      expect(Buffer.from(shown?.text ?? '').toString()).toBe(shown?.text)
      const [line = ''] = shown?.text.split('\n').slice(1) ?? []
      const [mark = '', left = '0'] = /\[… (\d+) characters of this line left out …\]/.exec(line) ?? []
      expect(line.length - mark.length + Number(left)).toBe(long.length)
    }
  })

  it('have 100,000 characters together, the short ones whole, and each cut one says where the rest is', () => {
    const long = { text: lines(340), wholeFile: '/tmp/agent/7.log' }
    const shown = boundResults([{ text: 'short' }, ...Array.from({ length: 9 }, () => long), { text: lines(340) }])
    expect(total(shown)).toBeLessThanOrEqual(100_000)
    expect(total(shown)).toBeGreaterThan(90_000)
    expect(shown[0]?.text).toBe('short')
    for (const { text } of shown.slice(1, 10)) {
      expect(text).toContain('line 0 ')
      expect(text).toContain('line 339 ')
      expect(text).toContain('All of it is in /tmp/agent/7.log.')
    }
    expect(shown[10]?.text).toContain('Make this call alone to see all of it.')
  })

  it('leave the one that fits into its share whole beside one that does not', () => {
    const [small, large] = boundResults([{ text: lines(400) }, { text: lines(4000) }])
    expect(small?.text).toBe(lines(400))
    expect(large?.text).toContain('(Cut: ')
    expect(large?.text.length).toBeGreaterThan(60_000)
  })

  it('stay bounded however many they are', () => {
    const shown = boundResults(Array.from({ length: 400 }, () => ({ text: lines(340), wholeFile: '/tmp/agent/7.log' })))
    expect(total(shown)).toBeLessThan(150_000)
  })

  it('have five images at most, and not too large ones together', () => {
    const shown = (images: number[]) => boundResults(images.map((chars) => ({ text: 'an image', image: image(chars) })))
    expect(shown([1, 1, 1, 1, 1, 1, 1]).filter((one) => one.image)).toHaveLength(5)
    expect(shown([1, 1, 1, 1, 1, 1])[5]?.text).toContain('The image is not shown')
    expect(shown([4_900_000, 4_900_000]).map((one) => one.image !== null)).toEqual([true, false])
  })
})

it('ten calls of 30 kB and a line of 1.5 MB reach the model bounded, and the person sees the outputs as before', async () => {
  const errand = await startErrand({
    files: { 'min.js': `${'x'.repeat(1_500_000)}\n` },
    policy: inTurn(
      answer(...Array.from({ length: 10 }, (_, n) => bash(`seq ${n}00000 ${n}04500`))),
      answer(call('read', { file_path: 'min.js' }), bash('cat min.js')),
      answer(text('Nothing to do.')),
    ),
  })
  try {
    const said = await errand.run()
    expect(endOf(said)).toMatchObject({ outcome: 'completed' })
    const [, ten, two] = errand.model.requests
    const sum = ten?.results.reduce((chars, result) => chars + result.text.length, 0)
    expect(sum).toBeGreaterThan(90_000)
    expect(sum).toBeLessThanOrEqual(100_000)
    for (const result of ten?.results ?? []) expect(result.text).toMatch(/All of it is in \/.*\.log\./)
    for (const result of two?.results ?? []) expect(longest(result.text)).toBeLessThanOrEqual(2000)
    expect(eventsOf(said, 'tool.ended')[0]?.output.startsWith('0\n')).toBe(true)
  } finally {
    await errand.stop()
  }
})
