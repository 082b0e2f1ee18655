import { existsSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { afterEach, describe, expect, it } from '@jest/globals'
import { argumentsOf } from '../../setup/process/process-table.ts'
import { waitFor } from '../support/checks/wait.ts'
import { refsOf } from '../support/outside/git-server.ts'
import type { Policy } from '../support/outside/model-server.ts'
import { type Errand, type ErrandOptions, endOf, eventsOf, startErrand } from './errand.ts'
import { answer, bash, call, faulty, inTurn, text } from './policies.ts'

let errand: Errand
async function start(options: ErrandOptions) {
  errand = await startErrand(options)
  return errand
}
afterEach(async () => {
  await errand.stop()
})

const writes = call('write', { file_path: 'new.txt', content: 'whole\n' })
/** Never the same twice, so that nothing but the limit ends it. */
const endless: Policy = ({ index }) => answer(bash(`echo ${index} >> count.txt`))

describe('a limit', () => {
  it('the budget ends the turn before the call that does not fit, after a word of warning', async () => {
    const { run, model, door, origin, assignment } = await start({
      policy: ({ index, body }) => ({
        content: [bash(`echo ${index} >> count.txt`)],
        usage: { output_tokens: Math.min(20_000, body.max_tokens) },
      }),
      assignment: { budgetUsd: 2 },
      gatewayBudgetUsd: 2,
    })
    expect(endOf(await run())).toMatchObject({ outcome: 'failed', reason: 'budget_exceeded', diff: { files: 1 } })
    expect(await refsOf(origin)).toHaveProperty(`refs/heads/${assignment.branch}`)
    // The agent's own view was enough: the gateway never had to refuse, and what was spent is within the budget.
    expect(model.requests.filter(({ said }) => said.includes('used up'))).toHaveLength(1)
    const spent = door.said.reduce((sum, event) => sum + (event.type === 'usage.counted' ? event.data.costUsd : 0), 0)
    expect(spent).toBeGreaterThan(1.5)
    expect(spent).toBeLessThanOrEqual(2)
    expect(door.log.join('')).not.toContain('task_budget_exceeded')
    expect(model.requests.at(-1)?.body.max_tokens).toBeLessThan(64_000)
  })

  it('the time ends the turn in the middle of a command, and the work is delivered', async () => {
    const { run, origin, assignment } = await start({
      policy: inTurn(answer(writes), answer(bash('sleep 600'))),
      assignment: { timeLimitMs: 6000 },
    })
    const started = performance.now()
    expect(endOf(await run())).toMatchObject({ outcome: 'failed', reason: 'time_exceeded', diff: { files: 1 } })
    expect(performance.now() - started).toBeLessThan(15_000)
    expect(await refsOf(origin)).toHaveProperty(`refs/heads/${assignment.branch}`)
  })

  it('two hundred steps of edits, todos and nudges keep every byte that was sent before, and are the last', async () => {
    const { run, model } = await start({
      policy: ({ index }) => {
        if (index % 50 === 7) return answer(call('todo', { items: [{ text: `step ${index}`, status: 'doing' }] }))
        if (index % 50 === 9) return answer()
        return answer(text(`Step ${index}.`), call('write', { file_path: 'count.txt', content: `${index}\n` }))
      },
    })
    expect(endOf(await run())).toMatchObject({ outcome: 'failed', reason: 'steps_exceeded', diff: { files: 1 } })
    expect(model.requests).toHaveLength(200)
    expect(model.refusals).toEqual([])
  })

  it('the same failing command is pointed out at the third time and ends the turn at the fifth', async () => {
    const { run, model } = await start({ policy: () => answer(bash('echo the same; exit 3')) })
    expect(endOf(await run())).toMatchObject({ outcome: 'failed', reason: 'stuck' })
    expect(model.requests.map(({ said }) => said.includes('several times'))).toEqual([false, false, false, true, false])
  })
})

describe('a cancel', () => {
  const cancelled = { outcome: 'cancelled', reason: 'cancelled_by_user', diff: { files: 1 } }

  it('in the middle of a stream: the call is given up, and the work pushed', async () => {
    const { run, cancel, lines, model, origin, assignment } = await start({
      policy: inTurn(answer(writes), faulty({ stallAt: 8, pingMs: 50 }, text('I think about it.'))),
    })
    const ended = run()
    await waitFor('the second answer', () => lines.some(({ type }) => type === 'delta'))
    cancel()
    expect(endOf(await ended)).toMatchObject(cancelled)
    await waitFor('the call to be closed', () => model.open() === 0)
    expect(await refsOf(origin)).toHaveProperty(`refs/heads/${assignment.branch}`)
  })

  it('in the middle of a pause: nobody waits it out', async () => {
    const limited = { status: 429, type: 'rate_limit_error', message: 'later', headers: { 'retry-after': '100' } }
    const { run, cancel, log } = await start({ policy: inTurn(answer(writes), limited) })
    const ended = run()
    await waitFor('the pause', () => log.some((line) => line.includes('model.failed')))
    cancel()
    expect(endOf(await ended)).toMatchObject(cancelled)
  })

  it('in the middle of a command: it is ended with all that it started', async () => {
    const { run, cancel, config } = await start({
      policy: inTurn(answer(bash("echo begun > begun.txt; setsid sleep 7331 & trap '' TERM; sleep 7332"))),
    })
    const ended = run()
    await waitFor('the command to begin', () => existsSync(`${config.workspace}/begun.txt`))
    cancel()
    expect(endOf(await ended)).toMatchObject(cancelled)
    const commands = (await readdir('/proc')).map((pid) => argumentsOf(Number(pid)).join(' '))
    expect(commands.filter((line) => /^sleep 733[12]/.test(line))).toEqual([])
  })
})

describe('a finish gate', () => {
  it('asks for open steps and leftovers, three times at most, and then lets go', async () => {
    const { run, model } = await start({
      policy: inTurn(
        answer(
          call('todo', { items: [{ text: 'write the docs', status: 'open' }] }),
          bash('echo x > debug.log2; echo x > scratch.py; echo y > real.txt'),
        ),
        answer(text('Done.')),
      ),
    })
    expect(endOf(await run())).toMatchObject({ outcome: 'completed', reason: 'done' })
    const gates = model.requests.slice(2).map(({ said }) => said)
    expect(gates).toHaveLength(3)
    for (const said of gates) {
      expect(said).toContain('write the docs')
      expect(said).toContain('scratch.py')
      expect(said).not.toContain('real.txt')
    }
  })

  it('asks once when nothing has changed', async () => {
    const { run, model } = await start({ policy: inTurn(answer(text('Done.')), answer(writes), answer(text('Really done'))) })
    expect(endOf(await run())).toMatchObject({ reason: 'done', summary: 'Really done' })
    expect(model.requests[1]?.said).toContain('No file has changed')
  })
})

it('an endless run that is not stuck says every call in pairs', async () => {
  const { run } = await start({
    policy: ({ index, ...rest }) => (index < 12 ? endless({ index, ...rest }) : answer(text('Enough'))),
  })
  const lines = await run()
  const ids = (type: 'tool.started' | 'tool.ended') => eventsOf(lines, type).map(({ callId }) => callId)
  expect(ids('tool.started')).toHaveLength(12)
  expect(ids('tool.ended')).toEqual(ids('tool.started'))
})
