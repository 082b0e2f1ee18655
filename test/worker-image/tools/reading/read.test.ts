import { randomUUID } from 'node:crypto'
import { chmod, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { createTools, type Tools } from '../../../../worker-image/tools/index.ts'
import { type TemporaryFolder, temporaryFolder } from '../../../support/systems/temporary.ts'

let folder: TemporaryFolder
let tools: Tools
const never = new AbortController().signal
const run = (name: string, input: unknown) => tools.run(name, input, never)

beforeEach(async () => {
  folder = await temporaryFolder()
  // Programs of the image are looked for in the test's own folder first.
  const environment = { PATH: `${folder.path}:${process.env.PATH ?? ''}` }
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

async function file(name: string, content: string | Buffer): Promise<() => Promise<Buffer>> {
  await writeFile(join(folder.path, name), content)
  return () => readFile(join(folder.path, name))
}

describe('a file with a byte order mark and CRLF', () => {
  it('is shown without them, and written with them', async () => {
    const bytes = await file('a.cs', '\uFEFFusing System;\r\n\r\nclass A { }\r\n')
    const { text } = await run('read', { file_path: 'a.cs' })
    expect(text).toBe('(Its lines end in CRLF; edit and write keep that.)\n     1\tusing System;\n     2\t\n     3\tclass A { }')
    const written = await run('write', { file_path: 'a.cs', content: 'using System;\n\nclass B { }\nclass C { }\n' })
    expect(written).toMatchObject({ ok: true, text: expect.stringContaining('kept: its byte order mark and line ends') })
    expect((await bytes()).toString()).toBe('\uFEFFusing System;\r\n\r\nclass B { }\r\nclass C { }\r\n')
  })

  it('keeps each of several kinds of line ends', async () => {
    const bytes = await file('m.txt', 'a\r\nb\nc\r\nd\n')
    expect((await run('read', { file_path: 'm.txt' })).text).toContain('end in LF and in CRLF')
    await run('write', { file_path: 'm.txt', content: 'a\nB\nc\nnew\nd\n' })
    expect((await bytes()).toString()).toBe('a\r\nB\nc\r\nnew\r\nd\n')
  })

  it('keeps LF where the model writes CRLF', async () => {
    const bytes = await file('u.txt', 'a\nb\n')
    await run('read', { file_path: 'u.txt' })
    expect((await run('write', { file_path: 'u.txt', content: 'a\r\nc\r\n' })).text).toContain('line ends')
    expect((await bytes()).toString()).toBe('a\nc\n')
  })
})

describe('a file that is not UTF-8', () => {
  it.each([
    ['ISO-8859-1', Buffer.from('un café noir\n', 'latin1'), 'un café noir', 'edit, which keeps the encoding'],
    [
      'WINDOWS-1252',
      Buffer.from('\x93un caf\xe9 noir\x94\n', 'latin1'),
      '“un café noir”',
      'python3 with encoding="windows-1252"',
    ],
    ['SHIFT_JIS', Buffer.from('93fa967b8cea0a', 'hex'), '日本語', 'encoding="shift_jis"'],
    ['UTF-16LE', Buffer.from('\uFEFFhello\r\n', 'utf16le'), 'hello', 'encoding="utf-16le"'],
  ])('is shown as %s, and not overwritten', async (name, content, shown, way) => {
    const bytes = await file('x.txt', content)
    const { ok, text } = await run('read', { file_path: 'x.txt' })
    expect({ ok, text }).toMatchObject({
      ok: true,
      text: expect.stringContaining(`is not UTF-8. It looks like ${name}, and is shown as that.`),
    })
    expect(text).toContain(`     1\t${shown}`)
    const written = await run('write', { file_path: 'x.txt', content: 'plain\n' })
    expect(written).toMatchObject({ ok: false, text: expect.stringContaining(way) })
    expect(await bytes()).toEqual(content)
  })

  it('and no text at all is neither shown nor overwritten', async () => {
    const bytes = await file('x.bin', Buffer.from([1, 0, 2]))
    expect(await run('write', { file_path: 'x.bin', content: 'x' })).toMatchObject({
      ok: false,
      text: expect.stringContaining('binary'),
    })
    expect(await bytes()).toEqual(Buffer.from([1, 0, 2]))
  })
})

it('cuts a long line, says how much is left, and stays within the bound with number and mark', async () => {
  await file('long.js', 'x'.repeat(1_500_000))
  const { text } = await run('read', { file_path: 'long.js' })
  expect(text).toMatch(/x… \(cut: \d+ more characters in this line\)$/)
  expect(text.length).toBeLessThanOrEqual(2000)
})

describe('a notebook', () => {
  it('comes as its cells and what they printed', async () => {
    const cells = [
      { cell_type: 'markdown', source: ['# Title\n', 'words'] },
      {
        cell_type: 'code',
        source: 'print(1)',
        outputs: [
          { output_type: 'stream', text: ['1\n'] },
          { output_type: 'display_data', data: { 'image/png': 'AAAA'.repeat(10_000), 'text/plain': ['<Figure>'] } },
          { output_type: 'error', ename: 'E', evalue: 'bad', traceback: ['\u001b[31mE\u001b[0m: bad'] },
        ],
      },
    ]
    await file('n.ipynb', JSON.stringify({ nbformat: 4, cells }))
    const { text } = await run('read', { file_path: 'n.ipynb' })
    expect(text).toContain('is a notebook')
    for (const part of [
      'cell 1 of 2 (markdown)',
      '# Title',
      'print(1)',
      '\t1\n',
      '<Figure>',
      '(not shown: image/png)',
      '\tE: bad',
    ])
      expect(text).toContain(part)
    expect(text).not.toContain('AAAA')
  })

  it('that is none is shown as it is', async () => {
    await file('n.ipynb', '{"cells": 1}\n')
    expect((await run('read', { file_path: 'n.ipynb' })).text).toBe('     1\t{"cells": 1}')
  })
})

describe('a PDF', () => {
  const PDF = '%PDF-1.4\n%âãÏÓ\n\u0000'
  const program = async (script: string) => {
    await file('pdftotext', `#!/bin/bash\n${script}\n`)
    await chmod(join(folder.path, 'pdftotext'), 0o755)
  }

  it('comes as the text of its pages', async () => {
    await program('[ "$1 $2 $3" = "-layout -enc UTF-8" ] && [ "$5" = - ] && head -c 5 "$4" && printf "one\\n\\ftwo\\n\\f"')
    await file('doc.bin', PDF)
    const { text } = await run('read', { file_path: 'doc.bin' })
    expect(text).toContain('is a PDF')
    expect(text).toContain('--- page 1 of 2 ---\n     2\t%PDF-one\n     3\t--- page 2 of 2 ---\n     4\ttwo')
  })

  it.each([
    ['has only pictures', 'printf "\\f\\f"', 'without text (2 pages)'],
    ['is damaged', 'echo "Syntax Error: no trailer" >&2; exit 1', 'cannot be read: Syntax Error: no trailer'],
    ['has far too much text', 'head -c 17000000 /dev/zero', 'more text than this tool takes'],
  ])('that %s is refused in words', async (_what, script, words) => {
    await program(script)
    await file('doc.pdf', PDF)
    expect(await run('read', { file_path: 'doc.pdf' })).toMatchObject({ ok: false, text: expect.stringContaining(words) })
  })
  it('in an image without the program for it is refused in words', async () => {
    await file('doc.pdf', PDF)
    const environment = { PATH: folder.path }
    const bare = createTools({ directory: folder.path, scratch: folder.path, environment, run: randomUUID() })
    const { text } = await bare.run('read', { file_path: 'doc.pdf' }, never)
    expect(text).toContain('has no pdftotext')
  })
})
