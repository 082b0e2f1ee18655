import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { execa } from 'execa'
import type { TaskEvent } from '../../contract/api/event.ts'
import type { Overview } from '../../contract/api/overview.ts'
import { seenByModel } from '../support/checks/conversation.ts'
import { expectWhole } from '../support/checks/event-list.ts'
import { waitFor } from '../support/checks/wait.ts'
import { refsOf } from '../support/outside/git-server.ts'
import type { SeenRequest } from '../support/outside/model-server.ts'
import type { Reply } from '../support/outside/model-wire.ts'
import { spawnErrand } from '../support/systems/command-line.ts'
import { giveAccess, type Outside, startOutside } from '../support/systems/outside.ts'
import { temporaryFolder } from '../support/systems/temporary.ts'

const PATIENCE_MS = 180_000
const BEFORE = 'Hello.\n'
const AFTER = 'Hello, world.\n'

let outside: Outside
let repository: { url: string; path: string }
let folder: Awaited<ReturnType<typeof temporaryFolder>>
/** Prompts whose agent may end, once it has changed the greeting. */
const free = new Set<string>()

beforeAll(async () => {
  folder = await temporaryFolder()
  outside = await startOutside({ policy: greets })
  repository = await outside.git.addRepository('ada/greeting', { files: { 'greeting.txt': BEFORE } })
  await giveAccess(outside)
  const { system } = outside
  const runners = async () => (await system.api<Overview>('/api/admin/overview')).body.runners
  await waitFor('the runner to be there', async () => (await runners()).some(({ connected }) => connected), PATIENCE_MS)
})
afterAll(async () => {
  await outside?.stop()
  await folder?.remove()
})

/** A model that reads the greeting, changes it, and waits to be let go. Its next step follows from the conversation alone. */
async function greets(request: SeenRequest): Promise<Reply> {
  const lines = seenByModel(request)
  const prompt = lines.find(({ who }) => who === 'said')?.text ?? ''
  const steps = lines.filter(({ who }) => who === 'ran').length
  const file_path = '/workspace/repository/greeting.txt'
  if (steps === 0) return step('I read the greeting.', 'read', { file_path })
  if (steps === 1) return step('It greets nobody.', 'write', { file_path, content: AFTER })
  if (steps === 2) return step('I look at it again.', 'bash', { command: 'cat greeting.txt' })
  await waitFor(`“${prompt}” to be let go`, () => free.has(prompt), PATIENCE_MS)
  return { content: [{ type: 'text', text: 'The greeting names the world now.' }] }
}

function step(text: string, name: string, input: unknown): Reply {
  return {
    content: [
      { type: 'text', text },
      { type: 'tool_use', name, input },
    ],
  }
}

function errand(argv: string[], cwd = folder.path) {
  const { url, token } = outside.system
  return spawnErrand(argv, { env: { ERRAND_URL: url, ERRAND_TOKEN: token }, cwd })
}

/** What is printed of the change, to read or as JSON. */
const CHANGE = /\$ cat greeting\.txt|"tool\.ended".*"bash"/

/** Starts a command that follows a task, and returns once it has told of the change: in the middle of the task. */
async function inTheMiddle(argv: string[], cwd?: string) {
  const running = errand(argv, cwd)
  await waitFor('the change', () => CHANGE.test(running.out()), PATIENCE_MS)
  expect(running.out()).not.toMatch(/completed|task\.ended/)
  return running
}

/** Fails unless the repository on the git host has this branch with the changed greeting, and `main` as it was. */
async function expectPushed(branch: string): Promise<string> {
  const commit = (await refsOf(repository.path))[`refs/heads/${branch}`] ?? ''
  expect([branch, commit]).toEqual([expect.stringMatching(/^errand\//), expect.stringMatching(/^[0-9a-f]{40}$/)])
  const greetingOn = async (ref: string) =>
    (await execa('git', ['-C', repository.path, 'show', `${ref}:greeting.txt`], { stripFinalNewline: false })).stdout
  expect([await greetingOn(branch), await greetingOn('main')]).toEqual([AFTER, BEFORE])
  return commit
}

/** The branch in the report at the end. */
function branchIn(out: string): string {
  return /^ {2}branch {3}(\S+)$/m.exec(out)?.[1] ?? ''
}

function eventsIn(out: string): TaskEvent[] {
  return out
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as TaskEvent)
}

describe('errand run, as a process beside the whole server', () => {
  it('tells each step as it happens, and ends with the branch that the git host has', async () => {
    const prompt = 'Greet the world'
    free.add(prompt)
    const { exit, out, err } = await errand(['run', '--repo', repository.url, '--base', 'main', prompt]).ended
    expect([exit, err]).toEqual([0, ''])

    const branch = branchIn(out)
    const commit = await expectPushed(branch)
    const id = /errand diff (\S+)/.exec(out)?.[1] ?? ''
    const time = String.raw`\d[\d.]* (?:ms|s|min \d+ s)`
    expect(out.split('\n').filter((line) => line !== '')).toEqual([
      '› Greet the world',
      expect.stringMatching(/^ {2}http:\/\/127\.0\.0\.1:\d+\/ada\/greeting\.git · main · claude-\S+ · at most \$\d+\.\d\d$/),
      expect.stringMatching(`^✓ picked up by runner-1 {2}${time}$`),
      expect.stringMatching(`^✓ sandbox ready {2}${time}$`),
      expect.stringMatching(`^✓ cloned main@[0-9a-f]{7} for ${branch} {2}${time}$`),
      'I read the greeting.',
      expect.stringMatching(/^✓ read greeting\.txt/),
      'It greets nobody.',
      expect.stringMatching(/^✓ write greeting\.txt {2}\+1 −0/),
      '    + Hello, world.',
      'I look at it again.',
      expect.stringMatching(`^✓ \\$ cat greeting\\.txt {2}${time}$`),
      '    Hello, world.',
      'The greeting names the world now.',
      `✓ pushed ${branch}@${commit.slice(0, 7)}`,
      '✓ completed',
      `  branch   ${branch}`,
      '  changes  1 file, +1 −1',
      expect.stringMatching(/^ {2}cost {5}\$\d+\.\d+ {2}[\d,]+ tokens in.* · [\d,]+ out$/),
      expect.stringMatching(`^ {2}time {5}${time}$`),
      `  patch    errand diff ${id}`,
      `  checkout git fetch origin ${branch} && git switch ${branch}`,
    ])
    expect(await outside.system.task(id)).toMatchObject({ status: 'completed', branch })
  })

  it('leaves at Ctrl-C; errand show --follow joins in the middle, sees the end, and tells the same once more after it', async () => {
    const prompt = 'Greet the world, I am off'
    const checkout = join(folder.path, 'checkout')
    await mkdir(checkout)
    await execa('git', ['clone', '--quiet', repository.path, checkout])
    await execa('git', ['-C', checkout, 'remote', 'set-url', 'origin', repository.url])
    const run = await inTheMiddle(['run', prompt], checkout)
    run.interrupt()
    const left = await run.ended
    const id = /errand show --follow (\S+)/.exec(left.err)?.[1] ?? ''
    expect(left.exit).toBe(130)
    expect(left.err).toBe(
      `Repository ${repository.url}, branch main, as in ${checkout}.\n` +
        `\nThe task is still running.\n  errand show --follow ${id}\n  errand cancel ${id}\n`,
    )

    const following = await inTheMiddle(['show', '--follow', id])
    expect((await outside.system.task(id)).status).toBe('running')
    free.add(prompt)
    const followed = await following.ended
    expect(followed).toMatchObject({ exit: 0, err: '' })
    expect(followed.out.startsWith(left.out)).toBe(true)
    await expectPushed(branchIn(followed.out))

    expect(await errand(['show', '--follow', id]).ended).toEqual(followed)
    expect((await errand(['show', id]).ended).out).toBe(followed.out)
  })

  it('prints each event as one line of JSON with --json, and so does errand show --follow from the middle', async () => {
    const prompt = 'Greet the world, line by line'
    const run = await inTheMiddle(['run', '--json', '--repo', repository.url, prompt])
    const id = /"taskId":"(\w+)"/.exec(run.out())?.[1] ?? ''
    const following = await inTheMiddle(['show', '--follow', '--json', id])
    free.add(prompt)
    const ran = await run.ended
    expect([ran.exit, ran.err]).toEqual([0, ''])
    expect(await following.ended).toEqual(ran)
    const events = eventsIn(ran.out)
    expectWhole(events)
    expect(events).toEqual(await outside.system.events(id))
    const end = events.at(-1)
    await expectPushed(end?.type === 'task.ended' ? (end.data.branch ?? '') : '')
  })

  it('ends with exit code 3 when the task is cancelled, and the work so far is on the branch', async () => {
    const prompt = 'Greet the world, or do not'
    const run = await inTheMiddle(['run', '--repo', repository.url, prompt])
    const { items } = (await outside.system.api<{ items: Array<{ id: string; prompt: string }> }>('/api/tasks')).body
    const id = items.find((task) => task.prompt === prompt)?.id ?? ''
    expect(await errand(['cancel', id]).ended).toEqual({
      exit: 0,
      out: `Cancelling. Follow it with: errand show --follow ${id}\n`,
      err: '',
    })
    const { exit, out } = await run.ended
    expect(exit).toBe(3)
    free.add(prompt)
    expect(out).toMatch(/^■ cancelled/m)
    await expectPushed(branchIn(out))
  })
})
