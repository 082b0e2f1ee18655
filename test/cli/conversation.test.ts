import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { waitFor } from '../support/checks/wait.ts'
import { attemptEnded } from '../support/scripted/scripted-lines.ts'
import type { ScriptedRunner, TakenLease } from '../support/scripted/scripted-runner.ts'
import { type Ran, errand as runErrand } from '../support/systems/command-line.ts'
import { type StaffedCoordinator, startStaffedCoordinator, type TestCoordinator } from '../support/systems/coordinator.ts'
import { addUser } from '../support/systems/people.ts'

let staffed: StaffedCoordinator
let coordinator: TestCoordinator
let runner: ScriptedRunner
let otherToken: string
/** A task of the owner that no runner has taken yet. */
let id: string

function errand(...argv: string[]): Promise<Ran> {
  return errandAs(coordinator.ownerToken, ...argv)
}
function errandAs(token: string, ...argv: string[]): Promise<Ran> {
  return runErrand(argv, { env: { ERRAND_URL: coordinator.url, ERRAND_TOKEN: token } })
}
function lease(turn = 1): Promise<TakenLease> {
  return staffed.lease(id, turn)
}
function end(held: TakenLease) {
  return runner.deliver(held, 1, attemptEnded())
}
async function lines() {
  return (await errand('messages', id)).out.trimEnd().split('\n')
}
/** The id of the message with this text, as `errand messages` prints it. */
async function messageId(text: string) {
  return (await lines()).find((line) => line.endsWith(text))?.split(' ')[0] ?? ''
}
const sent = { exit: 0, err: '', out: expect.stringMatching(/^Sent \([\w-]+\)\..*errand show --follow/) }

beforeAll(async () => {
  // With a slot for every task of this file.
  staffed = await startStaffedCoordinator({}, 50)
  ;({ coordinator, runner } = staffed)
  await staffed.calls.renew([])
  otherToken = addUser(coordinator.config.dataDir, 'bob')
})
afterAll(() => staffed.stop())
beforeEach(async () => {
  const { out, err } = await errand('run', '--repo', coordinator.demoRepoUrl, '--detach', 'the first words')
  expect(err).toBe('')
  id = out.trim()
})

describe('errand message', () => {
  it('reaches the running turn, or waits for the next one, and is listed with where it stands', async () => {
    const held = await lease()
    expect(await errand('message', id, 'look at', 'the tests')).toMatchObject(sent)
    expect(await errand('message', id, '--queue', 'and then the README')).toMatchObject(sent)
    const steer = await waitFor('the word', () => runner.heard.find((one) => one.taskId === id)?.word)
    expect(steer).toMatchObject({ type: 'message', message: { text: 'look at the tests' } })
    await runner.deliver(held, 1, {
      type: 'message.delivered',
      data: { messageId: await messageId('look at the tests'), turn: 1 },
    })
    expect((await lines()).map((line) => line.replace(/^\S+\s+/, ''))).toEqual([
      'turn 1     the first words',
      'turn 1     look at the tests',
      'waiting    and then the README',
    ])
  })

  it('to an ended task begins its next turn', async () => {
    await end(await lease())
    expect(await errand('message', id, 'once more')).toMatchObject(sent)
    expect(await lease(2)).toMatchObject({ turn: 2, prompt: expect.stringMatching(/^once more\b/) })
  })

  it('shows text of any kind as one line without what moves a terminal', async () => {
    await lease()
    await errand('message', id, '--queue', `a\nb \u0007\u001b[31mred\u001b[0m \u202e${'wide '.repeat(50)}`)
    const line = (await lines()).at(-1) ?? ''
    expect(line).toMatch(/waiting {4}a b red wide wide.*…$/)
    expect(line.length).toBeLessThanOrEqual(100)
  })

  it.each([
    [['message'], /ID is missing\nUsage: errand message ID \[.*"TEXT"/],
    [['message', 'ID'], /TEXT is missing\nUsage: errand message/],
    [['message', 'ID', '  '], /message: describe what the agent should do\nUsage: errand message/],
    [['message', 'ID', '--steer', 'x'], /Unknown option '--steer'[\s\S]*Usage: errand message/],
    [['message', 'ID', 'x'.repeat(100_001)], /message: .*100[,_]?000.*\nUsage: errand message/],
    [['message', 'tsk_none', 'x'], /task not found/i],
    [['messages'], /ID is missing\nUsage: errand messages ID/],
    [['messages', 'ID', 'x'], /“x” is unexpected/],
    [['messages', 'tsk_none'], /task not found/i],
  ])('refuses %j with exit code 2, and says why', async (argv, why) => {
    const ran = await errand(...argv.map((word) => (word === 'ID' ? id : word)))
    expect(ran).toMatchObject({ exit: 2, out: '', err: expect.stringMatching(why) })
  })

  it('of somebody else finds no task', async () => {
    for (const argv of [
      ['message', id, 'x'],
      ['messages', id],
      ['withdraw', id, 'msg'],
      ['retry', id],
    ])
      expect(await errandAs(otherToken, ...argv)).toMatchObject({
        exit: 2,
        out: '',
        err: expect.stringMatching(/task not found/i),
      })
  })
})

describe('errand withdraw', () => {
  it('takes back what waits, also twice', async () => {
    await lease()
    await errand('message', id, '--queue', 'rather not')
    const waiting = await messageId('rather not')
    for (let i = 0; i < 2; i++) expect(await errand('withdraw', id, waiting)).toEqual({ exit: 0, out: 'Withdrawn.\n', err: '' })
    expect((await lines()).at(-1)).toMatch(/withdrawn {2}rather not$/)
  })

  it('refuses what the agent has, what begins the turn that waits, and what is not there, with exit code 2', async () => {
    const [first] = await lines()
    const refused = (why: RegExp) => ({ exit: 2, out: '', err: expect.stringMatching(why) })
    expect(await errand('withdraw', id, first?.split(' ')[0] ?? '')).toMatchObject(refused(/cancel the task/))
    const held = await lease()
    await errand('message', id, 'taken')
    const taken = await messageId('taken')
    await runner.deliver(held, 1, { type: 'message.delivered', data: { messageId: taken, turn: 1 } })
    expect(await errand('withdraw', id, taken)).toMatchObject(refused(/agent already has this message/))
    expect(await errand('withdraw', id, 'nothing')).toMatchObject(refused(/message not found/i))
    expect(await errand('withdraw', 'tsk_none', taken)).toMatchObject(refused(/task not found/i))
    expect(await errand('withdraw', id)).toMatchObject(refused(/MESSAGE is missing\nUsage: errand withdraw ID MESSAGE/))
  })
})

describe('errand retry', () => {
  it('sends the last words again, with another model and more budget', async () => {
    const first = await lease()
    await end(first)
    const ran = await errand('retry', id, '--model', 'claude-haiku-5-5', '--budget', '3')
    expect(ran).toEqual({ exit: 0, out: `Turn 2 is waiting. Follow it with: errand show --follow ${id}\n`, err: '' })
    const held = await lease(2)
    expect(held).toMatchObject({ turn: 2, prompt: expect.stringMatching(/^the first words\b/), model: 'claude-haiku-5-5' })
    expect(held.budgetUsd).toBe(first.budgetUsd + 3)
  })

  it('refuses a task that has not ended, with exit code 2', async () => {
    expect(await errand('retry', id)).toMatchObject({ exit: 2, out: '', err: expect.stringMatching(/has not ended yet/) })
  })

  it.each([
    [['--budget', 'lots'], /--budget: must be a number, in US dollars\nUsage: errand retry/],
    [['--budget', ''], /--budget: must be more than 0\nUsage: errand retry/],
    [['--budget', '0'], /--budget: must be more than 0\nUsage: errand retry/],
    [['--budget', '-1'], /Usage: errand retry/],
    [['--model', 'gpt'], /--model: [\s\S]*Usage: errand retry/],
    [['another'], /“another” is unexpected/],
  ])('refuses %j with exit code 2, and changes nothing', async (more, why) => {
    await end(await lease())
    expect(await errand('retry', id, ...more)).toMatchObject({ exit: 2, out: '', err: expect.stringMatching(why) })
    expect(await lines()).toHaveLength(1)
  })
})

describe('a server that is not there', () => {
  it.each([
    ['message', 'tsk_1', 'x'],
    ['messages', 'tsk_1'],
    ['withdraw', 'tsk_1', 'msg_1'],
    ['retry', 'tsk_1'],
  ])('ends errand %s with exit code 4 for a token that is refused', async (...argv) => {
    expect(await errandAs('old', ...argv)).toMatchObject({ exit: 4, err: expect.stringMatching(/token in use was refused/) })
  })
})
