import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { execa } from 'execa'
import type { Message } from '../../coordinator/demo/conversation.ts'
import { decide } from '../../coordinator/demo/policy.ts'
import { ensureRepository } from '../../coordinator/demo/repository.ts'
import { temporaryFolder } from '../support/temporary.ts'
import { toolExecutor } from '../support/tool-executor.ts'

type Work = { messages: Message[]; last: string; calls: { name: string; input: Record<string, unknown>; text: string }[] }

/** Lets the policy work in `directory` until it ends; every move is decided from the messages alone. */
const letWork = async (directory: string, prompt: string): Promise<Work> => {
  const execute = toolExecutor(directory)
  const messages: Message[] = [{ role: 'user', content: prompt }]
  const calls: Work['calls'] = []
  for (let turn = 0; turn < 30; turn++) {
    const move = decide(JSON.parse(JSON.stringify(messages)) as Message[])
    const uses = move.calls.map((call, i) => ({ ...call, id: `toolu_${turn}_${i}` }))
    messages.push({
      role: 'assistant',
      content: [{ type: 'text', text: move.text }, ...uses.map(({ id, name, input }) => ({ type: 'tool_use', id, name, input }))],
    })
    if (uses.length === 0) return { messages, last: move.text, calls }
    const results = []
    for (const { id, name, input } of uses) {
      const { text, isError } = await execute(name, input)
      calls.push({ name, input, text })
      results.push({ type: 'tool_result', tool_use_id: id, content: [{ type: 'text', text }], is_error: isError })
    }
    messages.push({ role: 'user', content: results })
  }
  throw new Error(`the policy does not end; last calls: ${JSON.stringify(calls.slice(-3))}`)
}

const testsPass = async (directory: string): Promise<boolean> => {
  const { exitCode } = await execa('npm', ['test'], { cwd: directory, reject: false, env: { NODE_TEST_CONTEXT: undefined } })
  return exitCode === 0
}

describe('the demo model at work', () => {
  let folder: { path: string; remove: () => Promise<void> }
  let directory: string
  const diff = async () => (await execa('git', ['diff'], { cwd: directory })).stdout

  beforeEach(async () => {
    folder = await temporaryFolder()
    directory = join(folder.path, 'work')
    await ensureRepository(folder.path)
    await execa('git', ['clone', '--quiet', join(folder.path, 'hello.git'), directory])
  })
  afterEach(() => folder.remove())

  it('mends the failing test in the demo repository, in the code and not in the test', async () => {
    expect(await testsPass(directory)).toBe(false)
    const { last } = await letWork(directory, 'Fix the failing test.')
    expect(await testsPass(directory)).toBe(true)
    expect(await diff()).toContain('+  if (hour < 12)')
    expect(await diff()).not.toContain('test/')
    expect(last).toMatch(/all 7 pass/)
    expect(last).toMatch(/demo model/)
  })

  it('finds another failing edge by reading the output, not by knowing the file', async () => {
    const source = join(directory, 'src/part-of-day.js')
    const text = await readFile(source, 'utf8')
    await writeFile(source, text.replace('hour <= 12', 'hour < 12').replace('hour < 18', 'hour <= 18'))
    await letWork(directory, 'Fix the failing test.')
    expect(await testsPass(directory)).toBe(true)
  })

  it('says so when nothing fails', async () => {
    await letWork(directory, 'Fix the failing test.')
    const { last, calls } = await letWork(directory, 'Fix the failing test.')
    expect(last).toMatch(/pass already/)
    expect(calls.map((call) => call.name)).not.toContain('edit')
  })

  it('adds a French greeting with a test, and says which test failed before', async () => {
    const { last } = await letWork(directory, 'Add a French greeting.')
    expect(await diff()).toContain("+test('greets in French'")
    expect(last).toMatch(/6 tests pass, 6 did|7 tests pass, 6 did/)
    expect(last).toMatch(/failed before my change/)
    expect(last).toMatch(/demo model/)
  })

  it('documents the package with an example that it ran', async () => {
    const { last } = await letWork(directory, 'Document in the README how to use it.')
    expect(await readFile(join(directory, 'README.md'), 'utf8')).toContain('// Guten Morgen, Ada!')
    expect(last).toMatch(/demo model/)
  })

  it('declines what it cannot do, and names what it can', async () => {
    const { last } = await letWork(directory, 'Translate everything to COBOL.')
    expect(last).toMatch(/failing test/)
    expect(await diff()).toBe('')
  })

  it('takes up the work in the middle from the messages alone', async () => {
    const { messages } = await letWork(directory, 'Fix the failing test.')
    for (let length = 1; length < messages.length; length += 2) {
      const move = decide(messages.slice(0, length))
      const content = messages[length]?.content
      const said = Array.isArray(content) ? content : []
      expect(move.calls.map((call) => call.name)).toEqual(said.filter((b) => b.type === 'tool_use').map((b) => b.name))
    }
  })

  it('ends at once when it is spoken to after its end', async () => {
    const { messages } = await letWork(directory, 'Fix the failing test.')
    const move = decide([...messages, { role: 'user', content: 'Some checks failed. Go on.' }])
    expect(move.calls).toEqual([])
    expect(move.text).toMatch(/demo model/)
  })

  it('leaves a note in any other repository when a change was asked for, and none otherwise', async () => {
    await writeFile(join(directory, 'package.json'), JSON.stringify({ name: 'other', scripts: { test: 'echo four tests fine' } }))
    const asked = await letWork(directory, 'What does this do?')
    expect(asked.last).toMatch(/four tests fine/)
    expect(asked.last).toMatch(/demo model/)
    expect(await execa('git', ['status', '--short'], { cwd: directory })).toMatchObject({ stdout: ' M package.json' })
    await letWork(directory, 'Rewrite it in Rust.')
    expect(await readFile(join(directory, 'ERRAND-DEMO.md'), 'utf8')).toContain('> Rewrite it in Rust.')
  })
})
