import { randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { chmod, open, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { createTools, type Tools } from '../../../worker-image/tools/index.ts'
import { bounded, cleaned, shrinkInput } from '../../../worker-image/tools/output.ts'
import { createSpills } from '../../../worker-image/tools/shell/spills.ts'
import { waitFor } from '../../support/checks/wait.ts'
import { type TemporaryFolder, temporaryFolder } from '../../support/systems/temporary.ts'
import { png } from '../conversation/pictures.ts'

let folder: TemporaryFolder
let tools: Tools
const never = new AbortController().signal
function run(name: string, input: unknown, signal = never) {
  return tools.run(name, input, signal)
}
function bash(command: string, more: object = {}) {
  return run('bash', { command, ...more })
}
function inFolder(name: string) {
  return join(folder.path, name)
}

beforeEach(async () => {
  folder = await temporaryFolder()
  const environment = { PATH: process.env.PATH ?? '' }
  tools = createTools({ directory: folder.path, scratch: inFolder('scratch'), environment, run: randomUUID(), graceMs: 300 })
})
afterEach(async () => {
  await tools.stop()
  await folder.remove()
})

describe('bash', () => {
  it('gives exit code and output of a command that fails, which is no fault of the tool', async () => {
    expect(await bash('echo out; echo err >&2; exit 3')).toMatchObject({
      ok: true,
      exitCode: 3,
      text: expect.stringMatching(/^exit_code: 3\nwall_time: .*\nout\nerr$/),
      output: 'out\nerr',
      cutOff: false,
    })
  })

  it('heads the output for the model alone: people get what the command printed, also when it looks like a heading', async () => {
    const { text, output, note } = await bash("printf 'exit_code: 0\\nwall_time: 0.0 s\\nmine\\n'")
    expect(text).toMatch(/^exit_code: 0\nwall_time: \d+\.\d s\nexit_code: 0\nwall_time: 0\.0 s\nmine$/)
    expect([output, note]).toEqual(['exit_code: 0\nwall_time: 0.0 s\nmine', undefined])
    expect(await bash('true')).toMatchObject({ text: expect.stringMatching(/\n\(no output\)$/), output: '' })
  })

  it('carries the directory over, also from a command that exits, but no variables', async () => {
    expect((await bash('mkdir -p a/b && cd a/b && X=1; exit 1')).text).toContain(`cwd is now: ${folder.path}/a/b`)
    expect((await bash('pwd; echo "[$X]"')).text).toContain(`${folder.path}/a/b\n[]`)
  })

  it('starts from the repository again when its directory is gone', async () => {
    await bash('mkdir gone && cd gone')
    await bash('rmdir ../gone')
    expect(await bash('pwd')).toMatchObject({ ok: false, text: expect.stringContaining(`The next one starts in ${folder.path}`) })
    expect((await bash('pwd')).text).toContain(folder.path)
  })

  it.each(['sleep 100 &', 'setsid sleep 100 &', '(sleep 100; echo late) > /dev/null 2>&1 & disown'])(
    'returns at once from `%s`, and ends what it left running',
    async (command) => {
      const started = performance.now()
      const { exitCode, text, note } = await bash(`${command}\necho started`)
      expect(performance.now() - started).toBeLessThan(3000)
      expect([exitCode, text]).toEqual([0, expect.stringMatching(/left \d process(es)? running[^\n]*background: true\nstarted$/)])
      expect(note).toMatch(/^It left \d process/)
      expect(await tools.stop()).toBe(0)
    },
  )

  it('takes a command of any length, and one that ends whatever has a word of it on its command line', async () => {
    const long = `cat > long.txt <<'END'\n${'x'.repeat(200_000)}\nEND\nwc -c < long.txt`
    expect(await bash(long)).toMatchObject({ exitCode: 0, output: '200001' })
    expect(await bash('pkill -f wombat-server; echo "done: $?"')).toMatchObject({ exitCode: 0, output: 'done: 1' })
  })

  it('shows new output while the command runs, and never more than a little', async () => {
    const shown: string[] = []
    await tools.run('bash', { command: 'seq 1 5000; touch begun; sleep 1.5; echo more; sleep 1' }, never, (text) =>
      shown.push(text),
    )
    expect(shown.at(0)).toMatch(/4999\n5000\n$/)
    expect(shown.at(-1)).toBe('more\n')
    expect(Math.max(...shown.map((text) => text.length))).toBeLessThanOrEqual(2048)
  })

  it('keeps the newest outputs, and no more of them than fit', async () => {
    const spills = createSpills(inFolder('outputs'), 2_000)
    for (let count = 0; count < 5; count++) {
      const spill = await spills.open('true')
      await spill.file.write('x'.repeat(1_000))
      await spill.close()
    }
    await (await spills.open('true')).close()
    expect((await readdir(inFolder('outputs'))).sort()).toEqual(['4.log', '5.log', '6.log'])
    // New hands, after a command killed the old ones, overwrite nothing that the model may still read.
    await (await createSpills(inFolder('outputs'), 2_000).open('true')).close()
    expect((await readdir(inFolder('outputs'))).sort()).toEqual(['4.log', '5.log', '6.log', '7.log'])
  })

  it('ends a command that takes too long, even one that ignores TERM, and shows what it wrote', async () => {
    const result = await bash("trap '' TERM; echo begun; while true; do sleep 1; done", { timeout_ms: 1000 })
    expect(result).toMatchObject({
      ok: false,
      text: expect.stringMatching(/timed out after 1000 ms[\s\S]*begun/),
      output: 'begun',
      note: 'Timed out after 1 s.',
      cutOff: false,
    })
  })

  it('gives a command that reads an end of input, not a wait', async () => {
    expect(await bash('read line; echo "read: $?"; cat')).toMatchObject({ text: expect.stringContaining('read: 1') })
  })

  it('reads a long line in no time, as of a file that was made small', async () => {
    const { text } = await bash("head -c 500000 /dev/zero | tr '\\0' x; echo; printf '10%%\\r99%%\\rdone\\r\\nnext\\n'")
    expect(text).toContain('xxx')
    expect(text).toMatch(/\ndone\nnext$/)
  }, 5_000)

  it('shows head and tail of a long output, and names the file with all of it', async () => {
    const { text, outputBytes } = await bash('seq 1 100000')
    expect(text.length).toBeLessThanOrEqual(30_000)
    expect(text).toMatch(/\n1\n2\n3\n/)
    expect(text).toMatch(/99999\n100000$/)
    const [, file] = /full output: (\S+)/.exec(text) ?? []
    expect((await stat(file ?? '')).size).toBe(outputBytes)
  })

  it('ends a command that floods, with bounded memory and disk', async () => {
    const result = await bash('yes', { timeout_ms: 60_000 })
    expect(result).toMatchObject({
      ok: false,
      text: expect.stringContaining('it wrote more than'),
      note: 'Ended: it wrote more than 32 MB.',
      cutOff: false,
    })
    expect(result.text.length).toBeLessThanOrEqual(30_000)
  })

  it('shows the last state of a progress line, without escape sequences', async () => {
    const { text } = await bash(`printf '10%%\\r50%%\\r100%%\\n\\033[31mred\\033[0m\\007\\n'`)
    expect(text).toMatch(/\n100%\nred$/)
  })

  it('is stopped by the signal of the run', async () => {
    const controller = new AbortController()
    const running = run('bash', { command: 'touch begun; sleep 100' }, controller.signal)
    await waitFor('the command to begin', () => existsSync(inFolder('begun')))
    controller.abort()
    expect(await running).toMatchObject({
      ok: false,
      text: expect.stringContaining('the turn is over'),
      output: '',
      cutOff: true,
    })
  })
})

describe('a background command', () => {
  const started = async (command: string) => {
    const { text } = await bash(command, { background: true })
    return { text, id: /background command (\d+)/.exec(text)?.[1] ?? '' }
  }
  const look = (id: string, more: object = {}) => run('bash_output', { id, ...more })

  it('runs on beside other commands, and each look has what is new', async () => {
    const { text, id } = await started('echo one; until [ -e go ]; do sleep 0.05; done; echo two; sleep 100')
    expect(text).toMatch(/running for \d+ s\none$/)
    expect(await bash('touch go')).toMatchObject({ exitCode: 0, output: '' })
    await waitFor('more of it', async () => (await look(id)).output === 'two')
    expect((await look(id)).text).toMatch(/running for \d+ s\n\(nothing new\)$/)
    expect(await tools.stop()).toBeGreaterThan(0)
  })

  it('tells at once that it failed, and at any time how it ended', async () => {
    expect((await started('echo wrong >&2; exit 7')).text).toMatch(/exit_code: 7\nwall_time: \d\.\d s\nwrong$/)
    const { id } = await started('until [ -e go ]; do sleep 0.05; done; echo built')
    const waiting = look(id, { wait_ms: 60_000 })
    await writeFile(inFolder('go'), '')
    expect((await waiting).text).toMatch(/exit_code: 0\nwall_time: \d+\.\d s\nbuilt$/)
  })

  it('gets what is written to it, and is ended when it is told to', async () => {
    const { id } = await started('read name; echo "hello $name"; setsid sleep 100 & sleep 100')
    const printed = [(await look(id, { stdin: 'Ada\n' })).output]
    await waitFor('the answer', async () => {
      printed.push((await look(id)).output)
      return printed.join('').includes('hello Ada')
    })
    expect((await look(id, { kill: true })).text).toMatch(/exit_code: killed by SIG(TERM|KILL)/)
    // What left its session is ended with the next command.
    expect((await bash('true')).text).toContain('left 1 process running')
  })

  it('that is not there is named, and only so many run', async () => {
    expect(await look('9')).toMatchObject({ ok: false, text: expect.stringContaining('no background command 9') })
    for (let count = 0; count < 8; count++) await started('sleep 100')
    expect(await bash('sleep 100', { background: true })).toMatchObject({
      ok: false,
      text: expect.stringContaining('run already'),
    })
  }, 30_000)
})

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
  for (const { input_schema } of tools.definitions)
    expect(input_schema).toMatchObject({ type: 'object', additionalProperties: false })
  const { text } = await run('todo', { items: [{ text: 'a', status: 'maybe' }], more: 1 })
  expect(text).toContain('input.items[0].status must be one of open, doing, done')
  expect(text).toContain('input.more is not a field of this tool')
})
