import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { execa } from 'execa'
import type { Message } from '../../../coordinator/demo/conversation.ts'
import { decide } from '../../../coordinator/demo/policy.ts'
import { ensureRepository } from '../../../coordinator/demo/repository.ts'
import { nextMessage, steerMessage } from '../../../worker-image/conversation/prompt.ts'
import { toolExecutor } from '../../support/scripted/tool-executor.ts'
import { temporaryFolder } from '../../support/systems/temporary.ts'

type Block = Exclude<Message['content'], string>[number]
type Work = {
  messages: Message[]
  last: string
  texts: string[]
  calls: { name: string; input: Record<string, unknown>; text: string }[]
}

/**
 * Lets the policy work in `directory` until it ends; every move is decided from the messages alone.
 * @param more.before the conversation up to now, which then goes on with `prompt` as its next message
 * @param more.steers what is said while it works, by the number of its move
 */
async function letWork(
  directory: string,
  prompt: string,
  { before = [], steers = {} }: { before?: Message[]; steers?: Record<number, string> } = {},
): Promise<Work> {
  const execute = toolExecutor(directory)
  const first = before.length > 0 ? nextMessage({ prompt }, { directory, branch: 'errand/1/work' }) : [prompt]
  const messages: Message[] = [...before, { role: 'user', content: first.map((text) => ({ type: 'text', text })) }]
  const calls: Work['calls'] = []
  const texts: string[] = []
  for (let turn = 0; turn < 30; turn++) {
    const move = decide(JSON.parse(JSON.stringify(messages)) as Message[])
    texts.push(move.text)
    const uses = move.calls.map((call, i) => ({ ...call, id: `toolu_${turn}_${i}` }))
    const steer = steers[turn]
    const heard = steer === undefined ? [] : [{ type: 'text', text: steerMessage(steer) }]
    messages.push({
      role: 'assistant',
      content: [{ type: 'text', text: move.text }, ...uses.map(({ id, name, input }) => ({ type: 'tool_use', id, name, input }))],
    })
    if (uses.length === 0 && heard.length === 0) return { messages, last: move.text, texts, calls }
    const results: Block[] = []
    for (const { id, name, input } of uses) {
      const { text, isError } = await execute(name, input)
      calls.push({ name, input, text })
      results.push({ type: 'tool_result', tool_use_id: id, content: [{ type: 'text', text }], is_error: isError })
    }
    messages.push({ role: 'user', content: [...results, ...heard] })
  }
  throw new Error(`the policy does not end; last calls: ${JSON.stringify(calls.slice(-3))}`)
}

async function testsPass(directory: string): Promise<boolean> {
  const env = { NODE_TEST_CONTEXT: undefined, NODE_OPTIONS: undefined }
  const { exitCode } = await execa('node', ['--test'], { cwd: directory, reject: false, env })
  return exitCode === 0
}

/** A fresh clone of the demo repository. */
async function cloneDemo() {
  const folder = await temporaryFolder()
  const directory = join(folder.path, 'work')
  await ensureRepository(folder.path)
  await execa('git', ['clone', '--quiet', join(folder.path, 'hello.git'), directory])
  return { directory, remove: folder.remove, diff: async () => (await execa('git', ['diff'], { cwd: directory })).stdout }
}
type Clone = Awaited<ReturnType<typeof cloneDemo>>

describe('the demo model with the failing test', () => {
  let clone: Clone
  let failedBefore: boolean
  let work: Work

  beforeAll(async () => {
    clone = await cloneDemo()
    failedBefore = !(await testsPass(clone.directory))
    work = await letWork(clone.directory, 'The task:\n\nFix the failing test.')
  })
  afterAll(() => clone.remove())

  it('mends it, in the code and not in the test', async () => {
    expect(failedBefore).toBe(true)
    expect(await testsPass(clone.directory)).toBe(true)
    expect(await clone.diff()).toContain('+  if (hour < 12)')
    expect(await clone.diff()).not.toContain('test/')
  })

  it('gives an account that begins like a commit, quotes the checks and says that it is the demo model', () => {
    expect(work.last.split('\n')[0]).toBe('Fix the boundary at 12 in src/part-of-day.js')
    expect(work.last).toMatch(/1 of 7 failed before, all 7 pass now/)
    expect(work.last).toMatch(/demo model/)
  })

  it('ends with its plan done', () => {
    const plans = work.calls.filter((call) => call.name === 'todo').map((call) => call.input.items as { status: string }[])
    expect(plans[0]?.map((item) => item.status)).toEqual(['doing', 'open', 'open', 'open'])
    expect(plans.at(-1)?.every((item) => item.status === 'done')).toBe(true)
  })

  it('takes up the work in the middle from the messages alone', () => {
    for (let length = 1; length < work.messages.length; length += 2) {
      const content = work.messages[length]?.content
      const said = Array.isArray(content) ? content : []
      const names = said.filter((block) => block.type === 'tool_use').map((block) => block.name)
      expect(decide(work.messages.slice(0, length)).calls.map((call) => call.name)).toEqual(names)
    }
  })

  it('stands by its account when it is spoken to after its end', () => {
    const move = decide([...work.messages, { role: 'user', content: 'Errand: before this is pushed: …' }])
    expect(move).toEqual({ text: work.last, calls: [] })
  })

  it('says so when nothing fails any more, and changes nothing', async () => {
    const { last, calls } = await letWork(clone.directory, 'Fix the failing test.')
    expect(last).toMatch(/already pass[\s\S]*demo model/)
    expect(calls.map((call) => call.name)).not.toContain('edit')
  })
})

describe('the demo model at work', () => {
  let clone: Clone
  beforeEach(async () => {
    clone = await cloneDemo()
  })
  afterEach(() => clone.remove())

  it('finds another failing edge by reading the output, not by knowing the file', async () => {
    const source = join(clone.directory, 'src/part-of-day.js')
    const text = await readFile(source, 'utf8')
    await writeFile(source, text.replace('hour <= 12', 'hour < 12').replace('hour < 18', 'hour <= 18'))
    await letWork(clone.directory, 'Fix the failing test.')
    expect(await testsPass(clone.directory)).toBe(true)
  })

  it('adds a French greeting with a test, and says which test failed before', async () => {
    const { last } = await letWork(clone.directory, 'Add a French greeting.')
    expect(await clone.diff()).toContain("+test('greets in French'")
    expect(last).toMatch(/7 tests pass; 6 passed before[\s\S]*failed before my change[\s\S]*demo model/)
  })

  it('documents the package with an example that it ran', async () => {
    const { last } = await letWork(clone.directory, 'Document in the README how to use it.')
    expect(await readFile(join(clone.directory, 'README.md'), 'utf8')).toContain('// Guten Morgen, Ada!')
    expect(last).toMatch(/demo model/)
  })

  it('declines what it cannot do, and names what it can', async () => {
    const { last } = await letWork(clone.directory, 'Translate everything to COBOL.')
    expect(last).toMatch(/demo model[\s\S]*fix the failing test/)
    expect(await clone.diff()).toBe('')
  })

  it('leaves a note in any other repository when a change was asked for, and none otherwise', async () => {
    const { directory } = clone
    await writeFile(join(directory, 'package.json'), JSON.stringify({ name: 'other', scripts: { test: 'echo four tests fine' } }))
    const asked = await letWork(directory, 'What does this do?')
    expect(asked.last).toMatch(/four tests fine[\s\S]*demo model/)
    expect(await execa('git', ['status', '--short'], { cwd: directory })).toMatchObject({ stdout: ' M package.json' })
    await letWork(directory, 'Rewrite it in Rust.')
    expect(await readFile(join(directory, 'ERRAND-DEMO.md'), 'utf8')).toContain('> Rewrite it in Rust.')
  })
})

describe('the demo model in a conversation', () => {
  let clone: Clone
  beforeEach(async () => {
    clone = await cloneDemo()
  })
  afterEach(() => clone.remove())
  const french = "+test('greets in French'"

  it('answers the next messages one after the other, each as asked', async () => {
    const first = await letWork(clone.directory, 'The task:\n\nFix the failing test.')
    const second = await letWork(clone.directory, 'Add a French greeting.', { before: first.messages })
    expect(await clone.diff()).toContain(french)
    expect(await testsPass(clone.directory)).toBe(true)
    expect(second.last).toMatch(/^Add a French greeting\n[\s\S]*8 tests pass; 7 passed before/)
    const third = await letWork(clone.directory, 'Now document in the README how to use it', { before: second.messages })
    expect(third.last).toMatch(/^Document how to use the package/)
    const fourth = await letWork(clone.directory, 'Thank you!', { before: third.messages })
    expect(fourth.last).toMatch(/^Nothing was changed/)
  })

  it.each([0, 4])('does what it is steered to after move %i, and says so at once and at the end', async (move) => {
    const { last, texts } = await letWork(clone.directory, 'Fix the failing test.', {
      steers: { [move]: 'Please add a French greeting, too' },
    })
    expect(texts[move + 1]).toMatch(/^I have your message: “Please add a French greeting, too”/)
    expect(await clone.diff()).toContain('+  if (hour < 12)')
    expect(await clone.diff()).toContain(french)
    expect(await testsPass(clone.directory)).toBe(true)
    expect(last).toMatch(/^Fix the boundary at 12[\s\S]*Add a French greeting[\s\S]*demo model/)
    expect(last.match(/demo model/g)).toHaveLength(1)
  })

  it('goes on with what it is steered to when it had ended, and keeps its account of what it cannot do', async () => {
    const alone = await letWork(clone.directory, 'Fix the failing test.')
    const atEnd = alone.texts.length - 1
    await execa('git', ['checkout', '--', '.'], { cwd: clone.directory })
    const { last } = await letWork(clone.directory, 'Fix the failing test.', {
      steers: { [atEnd]: 'Use tabs', [atEnd + 1]: 'Add a French greeting' },
    })
    expect(await clone.diff()).toContain(french)
    expect(last).toMatch(/^Fix the boundary at 12[\s\S]*Add a French greeting[\s\S]*“Use tabs”[\s\S]*demo model/)
  })

  it('says at once and at the end what it was steered to and cannot do, and goes on', async () => {
    const { last, texts } = await letWork(clone.directory, 'Fix the failing test.', { steers: { 2: 'Use tabs, not spaces' } })
    expect(texts[3]).toMatch(/^I have your message: “Use tabs, not spaces”\..*script/)
    expect(await testsPass(clone.directory)).toBe(true)
    expect(last).toMatch(/^Fix the boundary at 12[\s\S]*“Use tabs, not spaces”[\s\S]*demo model/)
  })
})
