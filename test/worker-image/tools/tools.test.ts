import { chmod, open, readFile, stat, symlink, writeFile } from 'node:fs/promises'
import { describe, expect, it } from '@jest/globals'
import { bounded, cleaned, shrinkInput } from '../../../worker-image/tools/output.ts'
import { png } from '../conversation/pictures.ts'
import { toolsForEach } from './folder-tools.ts'

const { run, bash, inFolder, tools } = toolsForEach()

describe('read', () => {
  it('numbers lines, and says where to go on', async () => {
    await writeFile(inFolder('a.txt'), Array.from({ length: 3000 }, (_, i) => `line ${i + 1}`).join('\n'))
    const { text } = await run('read', { file_path: 'a.txt' })
    expect(text).toMatch(/^ {5}1\tline 1\n/)
    expect(text).toContain('(lines 1 to 2000 of 3000; continue with offset 2001)')
    expect((await run('read', { file_path: 'a.txt', offset: 2999 })).text).toBe('  2999\tline 2999\n  3000\tline 3000')
  })

  it('tells what is wrong with a path', async () => {
    await writeFile(inFolder('Config.json'), '{}')
    await writeFile(inFolder('data.bin'), Buffer.from([1, 0, 2]))
    expect((await run('read', { file_path: 'config.js' })).text).toContain(`Near it: ${inFolder('Config.json')}`)
    expect((await run('read', { file_path: 'no/such.txt' })).text).toContain('does not exist either')
    expect((await run('read', { file_path: '.' })).text).toContain('is a directory')
    expect((await run('read', { file_path: 'data.bin' })).text).toContain('binary file (3 bytes)')
  })

  it.each(['read', 'write', 'edit'])('%s opens no pipe, no device and nothing huge', async (name) => {
    await bash('mkfifo pipe && truncate -s 51M huge.txt')
    const more = { read: {}, write: { content: 'x' }, edit: { old_string: 'a', new_string: 'b' } }[name]
    for (const [path, why] of [
      ['pipe', 'not a regular file'],
      ['/dev/zero', 'not a regular file'],
      ['huge.txt', 'too large'],
    ])
      expect(await run(name, { file_path: path, ...more })).toMatchObject({
        ok: false,
        text: expect.stringContaining(why ?? '?'),
      })
  })

  it('is not waited for when the task is stopped and the file system does not answer', async () => {
    // The file that a write makes first.
    const beside = inFolder(`f.txt.${process.pid}.errand`)
    await bash(`mkfifo ${beside}`)
    const stop = new AbortController()
    const written = run('write', { file_path: 'f.txt', content: 'x' }, stop.signal)
    stop.abort()
    expect(await written).toMatchObject({ ok: false, cutOff: true, text: expect.stringContaining('the turn ended') })
    // Lets the write go on, whose thread would wait for ever.
    await (await open(beside, 'r+')).close()
  })

  it('shows an image', async () => {
    const bytes = png(3, 2)
    await writeFile(inFolder('dot.png'), bytes)
    expect(await run('read', { file_path: 'dot.png' })).toMatchObject({
      image: { source: { media_type: 'image/png', data: bytes.toString('base64') } },
    })
  })
})

describe('write', () => {
  it('makes folders, and a file that may not be overwritten unread', async () => {
    expect((await run('write', { file_path: 'deep/er/a.txt', content: 'a\n' })).text).toContain('Created')
    await writeFile(inFolder('b.txt'), 'b\n')
    expect(await run('write', { file_path: 'b.txt', content: 'c' })).toMatchObject({
      ok: false,
      text: expect.stringContaining('Read'),
    })
    await run('read', { file_path: 'b.txt' })
    await bash('echo more >> b.txt')
    expect((await run('write', { file_path: 'b.txt', content: 'c' })).text).toContain('changed since you read it')
    await run('read', { file_path: 'b.txt' })
    expect(await run('write', { file_path: 'b.txt', content: 'c' })).toMatchObject({ ok: true })
  })

  it('keeps the mode, and writes through a link', async () => {
    await writeFile(inFolder('tool.sh'), '#!/bin/sh\n')
    await chmod(inFolder('tool.sh'), 0o755)
    await symlink('tool.sh', inFolder('link.sh'))
    await run('read', { file_path: 'link.sh' })
    await run('write', { file_path: 'link.sh', content: '#!/bin/bash\n' })
    expect((await stat(inFolder('tool.sh'))).mode & 0o777).toBe(0o755)
    expect(await readFile(inFolder('tool.sh'), 'utf8')).toBe('#!/bin/bash\n')
  })
})

describe('edit', () => {
  const edit = async (content: string, old_string: string, new_string: string, more: object = {}) => {
    await writeFile(inFolder('e.txt'), content)
    const result = await run('edit', { file_path: 'e.txt', old_string, new_string, ...more })
    return { ...result, after: await readFile(inFolder('e.txt'), 'utf8') }
  }

  it('replaces the one place literally, and shows it', async () => {
    const { after, text } = await edit('a\nprice\nz\n', 'price', '$& $1 $$')
    expect(after).toBe('a\n$& $1 $$\nz\n')
    expect(text).toContain('     2\t$& $1 $$')
  })

  it('refuses several places by their lines, and replaces them all when told to', async () => {
    const content = 'x\ny\nx\n'
    expect(await edit(content, 'x', 'z')).toMatchObject({
      ok: false,
      after: content,
      text: expect.stringContaining('occurs 2 times, at lines 1, 3'),
    })
    expect(await edit(content, 'x', 'z', { replace_all: true })).toMatchObject({ ok: true, after: 'z\ny\nz\n' })
  })

  it('keeps CRLF and a byte order mark', async () => {
    expect((await edit('\uFEFFa\r\nb\r\nc\r\n', 'a\nb', 'one\ntwo')).after).toBe('\uFEFFone\r\ntwo\r\nc\r\n')
  })

  it('finds the only span that differs in indentation, and indents what it puts there', async () => {
    const { after, text } = await edit('if x:\n    a()\n    b()\n', 'a()\nb()', 'a()\nif y:\n    c()')
    expect(after).toBe('if x:\n    a()\n    if y:\n        c()\n')
    expect(text).toContain('differed in indentation')
  })

  it('shows the nearest places when nothing matches', async () => {
    const { ok, text } = await edit('const total = price * count\n', 'const total = price * amount', 'x')
    expect({ ok, text }).toMatchObject({
      ok: false,
      text: expect.stringMatching(/not found[\s\S]*1\tconst total = price \* count/),
    })
  })
})

describe('output', () => {
  it('keeps the head and most of the tail, whole lines, within the bound', () => {
    const text = Array.from({ length: 1000 }, (_, index) => `line ${index}`).join('\n')
    const short = bounded(text, 1000, '/all.log')
    expect(short.length).toBeLessThanOrEqual(1000)
    expect(short).toMatch(/^line 0\n[\s\S]*\[… \d+ lines elided; full output: \/all.log …\]\nline \d+\n[\s\S]*line 999$/)
  })

  it('drops what could deceive a reader', () => {
    expect(cleaned('user\u202egpj.exe \u0000\b\u009b31m')).toBe('usergpj.exe ')
  })

  it('is cleaned at once, whatever it is made of', () => {
    const started = performance.now()
    for (const unit of [';#', '\u001b;#', '\u001b]x', '\r']) cleaned(`\u001b${unit.repeat((512 * 1024) / unit.length)}`)
    expect(performance.now() - started).toBeLessThan(1000)
  })

  it('cuts the long texts of an input and keeps its shape', () => {
    const shrunk = shrinkInput({ file_path: 'a.txt', content: 'x'.repeat(50_000) }, 16_000)
    expect(shrunk).toMatchObject({ file_path: 'a.txt', content: expect.stringMatching(/^x+… \(48000 more characters\)$/) })
  })
})

it('every schema is closed, as strict tools must be, and each tool says what fits when an input does not', async () => {
  for (const { input_schema } of tools().definitions)
    expect(input_schema).toMatchObject({ type: 'object', additionalProperties: false })
  const { text } = await run('todo', { items: [{ text: 'a', status: 'maybe' }], more: 1 })
  expect(text).toContain('input.items[0].status must be one of open, doing, done')
  expect(text).toContain('input.more is not a field of this tool')
})
