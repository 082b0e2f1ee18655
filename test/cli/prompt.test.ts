import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { type ScriptedServer, startScriptedServer } from '../support/scripted/scripted-server.ts'
import { folderForEach } from '../support/systems/closing.ts'
import { errand } from '../support/systems/command-line.ts'

const RUN = ['run', '--repo', 'https://example.org/a/b', '--detach']

describe('what a person gives the command line to say', () => {
  const folder = folderForEach()
  let server: ScriptedServer
  const prompts = () => [...server.created.values()].map(({ prompt }) => prompt)

  beforeEach(async () => {
    server = await startScriptedServer()
  })
  afterEach(() => server.kill())

  it.each([
    [['- fix the list'], '- fix the list'],
    [['-1', 'is', 'wrong'], '-1 is wrong'],
    [['--fix the flag --model please'], '--fix the flag --model please'],
    [['fix', '--budget', '2', 'it'], 'fix it'],
    [['--', '--fix', '-v'], '--fix -v'],
    [['a', '-', 'b'], 'a - b'],
  ])('takes %j as words', async (words, prompt) => {
    expect((await errand([...RUN, ...words], { env: server.env })).err).toBe('')
    expect(prompts()).toEqual([prompt])
  })

  it.each([
    [['--fixit', 'now'], /--fixit/],
    [['-v'], /-v/],
    [['--budget', '-1', 'x'], /--budget/],
    [['--budget'], /--budget/],
    [['--json=yes', 'x'], /--json/],
    [['words', '--file', 'todo.txt'], /not both/],
    [['--file', 'none.txt'], /none\.txt could not be read: ENOENT/],
    [['--file', '.'], /could not be read: EISDIR/],
    [['--file', 'latin1.txt'], /latin1\.txt is not UTF-8 text/],
    [['--file', 'long.txt'], /long\.txt is too long: at most 100,000 characters/],
    [['--file', 'empty.txt'], /describe what the agent should do/],
    [['-'], /describe what the agent should do/],
  ])('refuses %j, says why, and sends nothing', async (args, why) => {
    await writeFile(join(folder.path, 'latin1.txt'), Buffer.from('caf\xe9', 'latin1'))
    await writeFile(join(folder.path, 'long.txt'), 'x'.repeat(400_001))
    await writeFile(join(folder.path, 'empty.txt'), '\n')
    const { exit, err } = await errand([...RUN, ...args], { env: server.env, cwd: folder.path })
    expect(err).toMatch(why)
    expect([exit, prompts()]).toEqual([2, []])
  })

  it('reads it from standard input or from a file, whole and whatever it begins with', async () => {
    const text = '- one\n- two “ü” 👋\n\n  --three'
    await writeFile(join(folder.path, 'todo.txt'), `${text}\n`)
    await errand([...RUN, '-'], { env: server.env, stdin: `${text}\n` })
    await errand([...RUN, '--file', 'todo.txt'], { env: server.env, cwd: folder.path })
    await errand([...RUN, '--file', '-'], { env: server.env, stdin: text })
    expect(prompts()).toEqual([text, text, text])
  })
})
