import { describe, expect, it } from '@jest/globals'
import { markdownBlocks } from '../../../../app/src/task/feed/prose/markdown-blocks.ts'

const FENCE = ['```js', 'const a = 1', '', '', 'const b = 2', '```'].join('\n')
const TABLE = ['| a | b |', '| - | - |', '| 1 | 2 |'].join('\n')
const LIST = ['- one', '', '  more of one', '- two', '', '- three'].join('\n')
const NUMBERED = ['1. one', '', '   ```sh', '   ls', '', '   pwd', '   ```', '', '2. two'].join('\n')
const ALL = ['# Title', 'Words\nover two lines.', FENCE, 'Between.', TABLE, LIST, NUMBERED, '> said', '~~~\n```\n~~~', 'The end.']

describe('the blocks of markdown', () => {
  it('are cut at empty lines, with code, tables and lists whole', () => {
    // Two lists that follow on each other are one block.
    const expected = [...ALL.slice(0, 5), `${LIST}\n\n${NUMBERED}`, ...ALL.slice(7)]
    expect(markdownBlocks(ALL.join('\n\n')).map((block) => block.trimEnd())).toEqual(expected)
  })

  it('leave nothing out', () => {
    const text = ALL.join('\n\n\n')
    expect(markdownBlocks(text).join('\n').replace(/\s+/g, '')).toBe(text.replace(/\s+/g, ''))
  })

  it('are the same at the end wherever the text was cut while it was written, and only the last two ever change', () => {
    const text = ALL.join('\n\n')
    const whole = markdownBlocks(text)
    for (let at = 0; at <= text.length; at++) {
      const sofar = markdownBlocks(text.slice(0, at))
      expect(sofar.length).toBeLessThanOrEqual(whole.length)
      // A dash at the end may yet become a list's next point.
      const done = sofar.slice(0, -2)
      expect(done).toEqual(whole.slice(0, done.length))
    }
  })

  it('keep an unfinished fence in one block, and do not end it by a shorter or another one', () => {
    expect(markdownBlocks('````\ncode\n\n```\n\n~~~\n\nmore')).toHaveLength(1)
    expect(markdownBlocks('````\ncode\n\n```\n\n````\n\nafter')).toHaveLength(2)
    expect(markdownBlocks('```\ncode\n\n``` not the end\n\nmore')).toHaveLength(1)
  })

  it('of nothing are none', () => {
    for (const text of ['', '\n', '   \n\n \t\n']) expect(markdownBlocks(text)).toEqual([])
  })

  it('of a huge text are made in a moment', () => {
    const text = `${'words '.repeat(20)}\n\n`.repeat(20_000)
    const began = performance.now()
    expect(markdownBlocks(text)).toHaveLength(20_000)
    expect(markdownBlocks(`\`\`\`\n${'x\n'.repeat(500_000)}`)).toHaveLength(1)
    // About a tenth of it on a slow machine; work in the square of the length takes minutes.
    expect(performance.now() - began).toBeLessThan(5_000)
  })
})
