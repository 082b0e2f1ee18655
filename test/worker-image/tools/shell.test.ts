import { existsSync } from 'node:fs'
import { readdir, stat, writeFile } from 'node:fs/promises'
import { describe, expect, it } from '@jest/globals'
import { createSpills } from '../../../worker-image/tools/shell/spills.ts'
import { waitFor } from '../../support/checks/wait.ts'
import { toolsForEach } from './folder-tools.ts'

const { run, bash, inFolder, tools } = toolsForEach()

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
    expect((await bash('mkdir -p a/b && cd a/b && X=1; exit 1')).text).toContain(`cwd is now: ${inFolder()}/a/b`)
    expect((await bash('pwd; echo "[$X]"')).text).toContain(`${inFolder()}/a/b\n[]`)
  })

  it('starts from the repository again when its directory is gone', async () => {
    await bash('mkdir gone && cd gone')
    await bash('rmdir ../gone')
    expect(await bash('pwd')).toMatchObject({ ok: false, text: expect.stringContaining(`The next one starts in ${inFolder()}`) })
    expect((await bash('pwd')).text).toContain(inFolder())
  })

  it.each(['sleep 100 &', 'setsid sleep 100 &', '(sleep 100; echo late) > /dev/null 2>&1 & disown'])(
    'returns at once from `%s`, and ends what it left running',
    async (command) => {
      const started = performance.now()
      const { exitCode, text, note } = await bash(`${command}\necho started`)
      expect(performance.now() - started).toBeLessThan(3000)
      expect([exitCode, text]).toEqual([0, expect.stringMatching(/left \d process(es)? running[^\n]*background: true\nstarted$/)])
      expect(note).toMatch(/^It left \d process/)
      expect(await tools().stop()).toBe(0)
    },
  )

  it('takes a command of any length, and one that ends whatever has a word of it on its command line', async () => {
    const long = `cat > long.txt <<'END'\n${'x'.repeat(200_000)}\nEND\nwc -c < long.txt`
    expect(await bash(long)).toMatchObject({ exitCode: 0, output: '200001' })
    expect(await bash('pkill -f wombat-server; echo "done: $?"')).toMatchObject({ exitCode: 0, output: 'done: 1' })
  })

  it('shows new output while the command runs, and never more than a little', async () => {
    const shown: string[] = []
    await run('bash', { command: 'seq 1 5000; touch begun; sleep 1.5; echo more; sleep 1' }, undefined, (text) =>
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
  }, 20_000)

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
    expect(await tools().stop()).toBeGreaterThan(0)
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
  })
})
