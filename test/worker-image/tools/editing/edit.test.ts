import { randomUUID } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { createTools, type Tools } from '../../../../worker-image/tools/index.ts'
import { type TemporaryFolder, temporaryFolder } from '../../../support/systems/temporary.ts'

let folder: TemporaryFolder
let tools: Tools
const never = new AbortController().signal

beforeEach(async () => {
  folder = await temporaryFolder()
  const environment = { PATH: process.env.PATH ?? '' }
  tools = createTools({
    directory: folder.path,
    scratch: join(folder.path, 'scratch'),
    environment,
    run: randomUUID(),
    graceMs: 300,
  })
})
afterEach(async () => {
  await tools.stop()
  await folder.remove()
})

async function edit(content: string | Buffer, old_string: string, new_string: string, more: object = {}) {
  const path = join(folder.path, 'e.txt')
  await writeFile(path, content)
  const result = await tools.run('edit', { file_path: 'e.txt', old_string, new_string, ...more }, never)
  return { ...result, bytes: await readFile(path), after: await readFile(path, 'utf8') }
}

describe('a line that the model does not change keeps its bytes', () => {
  it.each([
    ['in a file of mixed line ends', 'a\r\nb\nc\r\nd\n', 'a\nb\nc', 'a\nB\nc', 'a\r\nB\nc\r\nd\n'],
    ['with CRLF, of which the old text has none', 'one\r\ntwo\r\nthree\n', 'one\ntwo', 'one\n2', 'one\r\n2\r\nthree\n'],
    [
      'beside new lines, which end as their neighbour',
      'a\r\nb\r\n',
      'a\nb\n',
      'a\nnew\nnewer\nb\n',
      'a\r\nnew\r\nnewer\r\nb\r\n',
    ],
    [
      'that ends in two blanks in Markdown',
      'first  \nsecond\nthird\t\n',
      'first\nsecond\nthird',
      'first\n2\nthird',
      'first  \n2\nthird\t\n',
    ],
    ['that ends in blanks, when a line before it goes', 'gone\nkept  \nend\n', 'gone\nkept\nend', 'kept\nend', 'kept  \nend\n'],
    ['when only a part of a line is replaced', 'let a = 1;\r\nlet b = 2;\n', 'b = 2', 'b = 3', 'let a = 1;\r\nlet b = 3;\n'],
    ['when it is deleted together with its end', 'a\r\nb\r\nc\n', 'b\n', '', 'a\r\nc\n'],
    ['in every place of many', 'x\r\ny\nx\r\ny\n', 'x\ny', 'z\ny', 'z\r\ny\nz\r\ny\n', true],
    ['also with a byte order mark before it', '\uFEFFa  \r\nb\r\n', 'a\nb', 'a\nB', '\uFEFFa  \r\nB\r\n'],
  ])('%s', async (_what, content, old_string, new_string, after, replace_all = false) => {
    expect(await edit(content, old_string, new_string, { replace_all })).toMatchObject({ ok: true, after })
  })

  it('with a no-break space, which is named', async () => {
    const { after, text } = await edit('prix :\u00a05\nnom : x\n', 'prix : 5\nnom : x', 'prix : 5\nnom : y')
    expect(after).toBe('prix :\u00a05\nnom : y\n')
    expect(text).toContain('line 1, column 7 has U+00A0 NO-BREAK SPACE')
  })

  it('says that line ends alone are no change', async () => {
    expect(await edit('a\r\nb\r\n', 'a\r\nb', 'a\nb')).toMatchObject({
      ok: false,
      text: expect.stringContaining('differ only in their line ends'),
    })
  })
})

describe('a near miss', () => {
  it.each([
    [
      '// 检查（必需）。\n',
      '// 检查(必需).',
      [
        'line 1, column 6: the file has U+FF08 FULLWIDTH LEFT PARENTHESIS here, old_string has U+0028 LEFT PARENTHESIS',
        'column 9: the file has U+FF09 FULLWIDTH RIGHT PARENTHESIS',
        'column 10: the file has U+3002 IDEOGRAPHIC FULL STOP here, old_string has U+002E FULL STOP',
      ],
    ],
    [
      'a\nit’s\n',
      "it's",
      ['line 2, column 3: the file has U+2019 RIGHT SINGLE QUOTATION MARK here, old_string has U+0027 APOSTROPHE'],
    ],
    ['x =\u00a01\n', 'x = 1', ['line 1, column 4: the file has U+00A0 NO-BREAK SPACE here, old_string has U+0020 SPACE']],
    [
      "it's\n",
      'it’s',
      ['line 1, column 3: the file has U+0027 APOSTROPHE here, old_string has U+2019 RIGHT SINGLE QUOTATION MARK'],
    ],
    [
      'wait… now\n',
      'wait... now',
      ['line 1, column 5: the file has U+2026 HORIZONTAL ELLIPSIS here, old_string has U+002E FULL STOP'],
    ],
    ['zero\u200bwidth\n', 'zerowidth', ['column 5: the file has U+200B ZERO WIDTH SPACE here, which old_string does not have']],
    ['const е = 1\n', 'const e = 1', ['column 7: the file has U+0435 "е" here, old_string has U+0065 "e"']],
    ['😀😀 a – b\n', '😀😀 a - b', ['column 6: the file has U+2013 EN DASH here, old_string has U+002D HYPHEN-MINUS']],
    ['caf\u0065\u0301 x\n', 'caf\u00e9 x', ['line 1, column 4']],
    ['\tif (a) {\n', '    if (a) { // x\n', ['1\t\tif (a) {']],
    [
      'function total(prices) {\n  return sum(prices)\n}\n',
      'function total(prices) {\n  return sum(price)\n}',
      ['The first difference is at line 2, column 19: the file has U+0073 "s" here, old_string has U+0029 RIGHT PARENTHESIS'],
    ],
    [
      '漢字を検査する関数\n',
      '漢字を検索する関数',
      ['line 1, column 5: the file has U+67FB "査" here, old_string has U+7D22 "索"'],
    ],
  ])('in %j is not replaced, and is named', async (content, old_string, words) => {
    const { ok, after, text } = await edit(content, old_string, 'something else')
    expect({ ok, after }).toEqual({ ok: false, after: content })
    for (const word of words) expect(text).toContain(word)
  })

  it('in a single very long line is found by the part that fits', async () => {
    const content = `${'a=1;'.repeat(100_000)}function total(prices){return 1}${'b=2;'.repeat(100_000)}`
    const { ok, text } = await edit(content, 'function total(prices){return 2}', 'x')
    expect(ok).toBe(false)
    expect(text).toContain('line 1, column 400031, the file has U+0031 "1" here, old_string has U+0032 "2"')
  })
})

describe('the answer', () => {
  it('about one word in a minified file of 1.5 MB is short, and marks where the line is cut', async () => {
    const content = `${'var a=function(){return 1};'.repeat(28_000)}NEEDLE${';b()'.repeat(186_000)}`
    const { ok, text, after } = await edit(content, 'NEEDLE', 'thread')
    expect({ ok, after: after.length }).toEqual({ ok: true, after: content.length })
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(8192)
    expect(text.split('\n').filter((line) => line.length > 2000)).toEqual([])
    expect(text).toMatch(/ {5}1\t\[… \d+ characters cut …\].*return 1};thread;b\(\).*\[… \d+ characters cut …\]$/s)
  })

  it.each([
    ['many changed lines', 'x\n', 'line of some length, again and again\n'.repeat(3000)],
    ['many long lines of wide characters', 'x\n', `${'漢'.repeat(5000)}\n`.repeat(30)],
    ['long context', `${'é'.repeat(3000)}\nx\n${'é'.repeat(3000)}\n`, 'y'],
  ])('about %s is within its bounds', async (_what, content, new_string) => {
    const { ok, text } = await edit(content, 'x', new_string)
    expect(ok).toBe(true)
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(8192)
    expect(text.split('\n').filter((line) => line.length > 2000)).toEqual([])
  })

  it.each([
    ['places', 'x\n'.repeat(5000), 'x', 'y'],
    ['near lines', `${'wide '.repeat(4000)}漢 1\n`.repeat(5), `${'wide '.repeat(3)}漢 2 and ${'more '.repeat(3000)}`, 'y'],
  ])('that refuses because of %s is, too', async (_what, content, old_string, new_string) => {
    const { ok, text } = await edit(content, old_string, new_string)
    expect(ok).toBe(false)
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(8192)
    expect(text.split('\n').filter((line) => line.length > 2000)).toEqual([])
  })
})

describe('a file that is not UTF-8', () => {
  it('stays Latin-1, with the new character in it', async () => {
    const { ok, bytes, text } = await edit(Buffer.from('un café noir\n', 'latin1'), 'café noir', 'thé noir')
    expect({ ok, text: bytes.toString('latin1') }).toEqual({ ok: true, text: 'un thé noir\n' })
    expect(text).toContain('not UTF-8; it stays ISO-8859-1')
  })

  it('stays Windows-1252, quotation marks and all', async () => {
    const { bytes } = await edit(Buffer.from('un \x93caf\xe9\x94 noir\n', 'latin1'), '“café”', '“thé” – 5 €')
    expect(bytes.toString('latin1')).toBe('un \x93th\xe9\x94 \x96 5 \x80 noir\n')
  })

  it.each([
    ['a character that Latin-1 does not have', Buffer.from('un café\n', 'latin1'), 'un', '漢'],
    ['an encoding of two bytes a character', Buffer.from('93fa967b8cea0a', 'hex'), '日本語', 'x'],
    ['UTF-16', Buffer.from('\uFEFFhello\n', 'utf16le'), 'hello', 'x'],
    ['bytes that are no text', Buffer.from([1, 0, 2, 0x61]), 'a', 'x'],
  ])('is left alone if it would take %s', async (_what, content, old_string, new_string) => {
    const { ok, bytes, text } = await edit(content, old_string, new_string)
    expect({ ok, bytes }).toEqual({ ok: false, bytes: content })
    expect(text).toMatch(/bash/)
  })
})

describe('a file of 60,000 lines', () => {
  const content = Array.from(
    { length: 60_000 },
    (_, n) => `  const value${n} = compute(${n}, "naïve – ${n % 97}") // 检查 ${n}\r\n`,
  ).join('')
  it.each([
    ['hits', 'const value59000 = compute(59000, "naïve – 24")', true],
    [
      'hits loosely',
      'const value59000 = compute(59000, "naïve – 24") // 检查 59000  \nconst value59001 = compute(59001, "naïve – 25") // 检查 59001',
      true,
    ],
    ['looks alike', 'const value59000 = compute(59000, "naïve - 24")', false],
    [
      'is nearly there',
      'const value59000 = compute(59000, "naïve – 24") // checked\n  const value59001 = calculate(59001)',
      false,
    ],
    ['is nowhere', 'something(altogether, different)', false],
  ])('takes at most 200 ms of the processor when the text %s', async (_what, old_string, ok) => {
    const path = join(folder.path, 'e.txt')
    const costs: number[] = []
    // The first call pays for what is made once, and any call for what else the machine does.
    for (let n = 0; n < 4; n++) {
      await writeFile(path, content)
      const before = process.cpuUsage()
      expect(await tools.run('edit', { file_path: 'e.txt', old_string, new_string: 'new' }, never)).toMatchObject({ ok })
      const { user, system } = process.cpuUsage(before)
      costs.push((user + system) / 1000)
    }
    expect(Math.min(...costs)).toBeLessThanOrEqual(200)
  })
})
