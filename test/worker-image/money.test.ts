import { afterEach, describe, expect, it } from '@jest/globals'
import { refsOf } from '../support/outside/git-server.ts'
import { type Errand, type ErrandOptions, endOf, eventsOf, startErrand } from './errand.ts'
import { answer, bash, call, text } from './policies.ts'

let errand: Errand
async function start(options: ErrandOptions) {
  errand = await startErrand(options)
  return errand
}
afterEach(async () => {
  await errand.stop()
})

const LAST_WORDS = 'Half of it is done\n\nThe other half is left.'
const isLast = (said: string) => said.includes('this is your last message')
const isWrapUp = (said: string) => said.includes('used up most')

function spentAtGateway({ door }: Errand): number {
  return door.said.reduce((sum, event) => sum + (event.type === 'usage.counted' ? event.data.costUsd : 0), 0)
}
function prints(kilobytes: number, step: number): string {
  return `echo ${step} >> count.txt; head -c ${kilobytes * 700} /dev/urandom | base64`
}

describe('a budget of 5 dollars', () => {
  it.each([
    ['short answers and long outputs', 15, 1_000],
    ['long answers', 1, 9_000],
    ['longer and longer answers', 4, 0],
  ])('is used, and not passed, by a model with %s, and ends with its last words', async (_, kilobytes, outputTokens) => {
    const budget = { assignment: { budgetUsd: 5 }, gatewayBudgetUsd: 5 }
    const { run, model, door, origin, assignment } = await start({
      policy: ({ index, said, body }) =>
        isLast(said)
          ? { content: [text(LAST_WORDS)], usage: { output_tokens: Math.min(1_500, body.max_tokens) } }
          : {
              content: [bash(prints(kilobytes, index))],
              usage: { output_tokens: Math.min(outputTokens || 500 * index, body.max_tokens) },
            },
      ...budget,
    })
    expect(endOf(await run())).toMatchObject({
      outcome: 'failed',
      reason: 'budget_exceeded',
      summary: LAST_WORDS,
      diff: { files: 1 },
    })
    expect(await refsOf(origin)).toHaveProperty(`refs/heads/${assignment.branch}`)
    const spent = spentAtGateway(errand)
    expect(spent).toBeGreaterThanOrEqual(4.5)
    expect(spent).toBeLessThanOrEqual(5)
    // The agent's own view was enough.
    expect(door.log.join('')).not.toContain('task_budget_exceeded')
    expect(model.refusals).toEqual([])
    // At least two more calls of the work came after the warning, and then the last message.
    const said = model.requests.map((request) => request.said)
    expect(said.filter(isWrapUp)).toHaveLength(1)
    expect(said.length - 1 - said.findIndex(isWrapUp)).toBeGreaterThanOrEqual(2)
    expect(said.filter(isLast)).toHaveLength(1)
    expect(isLast(said.at(-1) ?? '')).toBe(true)
  })
})

describe('the last message', () => {
  it('is asked for even if the results before it would not fit: they are cut', async () => {
    const { run, model } = await start({
      policy: ({ said, body }) =>
        isLast(said)
          ? answer(text(LAST_WORDS))
          : {
              content: Array.from({ length: 8 }, (_, call) => bash(prints(60, call))),
              usage: { output_tokens: Math.min(20_000, body.max_tokens) },
            },
      assignment: { budgetUsd: 0.3 },
      gatewayBudgetUsd: 0.3,
    })
    expect(endOf(await run())).toMatchObject({ reason: 'budget_exceeded', summary: LAST_WORDS })
    expect(spentAtGateway(errand)).toBeLessThanOrEqual(0.3)
    expect(model.requests.at(-1)?.results[0]?.text).toContain('cut: the budget')
  })

  it('runs no call any more, and the next message of the task finds a whole conversation', async () => {
    const { run, lines, model } = await start({
      policy: ({ said, body }) =>
        isLast(said)
          ? answer(text(LAST_WORDS), bash('echo late >> late.txt'))
          : { content: [bash('echo 1 >> a.txt')], usage: { output_tokens: Math.min(20_000, body.max_tokens) } },
      assignment: { budgetUsd: 1 },
      gatewayBudgetUsd: 1,
    })
    expect(endOf(await run())).toMatchObject({ reason: 'budget_exceeded', summary: LAST_WORDS })
    expect(eventsOf(lines, 'tool.started').filter(({ title }) => title.includes('late'))).toEqual([])
    const stored = JSON.parse(errand.door.artifacts.get('transcript')?.toString() ?? '{}')
    expect(stored.messages.at(-1)).toMatchObject({
      role: 'user',
      content: [{ type: 'tool_result', content: expect.stringContaining('not run'), is_error: true }],
    })
    expect(model.refusals).toEqual([])
  })

  it('is kept at the limit of steps too', async () => {
    const { run, model } = await start({
      policy: ({ index, said }) =>
        isLast(said) ? answer(text(LAST_WORDS)) : answer(call('write', { file_path: 'count.txt', content: `${index}\n` })),
    })
    expect(endOf(await run())).toMatchObject({ reason: 'steps_exceeded', summary: LAST_WORDS, diff: { files: 1 } })
    expect(model.requests).toHaveLength(200)
  })

  it('is not the last one if a person raises the budget meanwhile', async () => {
    let limitUsd = 1
    const { run, model } = await start({
      policy: ({ index, said, body }) => {
        if (isLast(said)) limitUsd = 4
        if (said.includes('raised the budget')) return answer(text('All of it is done.'))
        return { content: [bash(`echo ${index} >> a.txt`)], usage: { output_tokens: Math.min(20_000, body.max_tokens) } }
      },
      assignment: { budgetUsd: 1 },
      gateway: { limitUsd: () => limitUsd },
    })
    expect(endOf(await run())).toMatchObject({ outcome: 'completed', summary: 'All of it is done.' })
    expect(model.refusals).toEqual([])
  })
})

it('a gateway that counts more than the agent says what fits, and the agent asks for that', async () => {
  let limitUsd = 5
  const { run, door } = await start({
    policy: ({ index, said, body }) =>
      isLast(said)
        ? answer(text(LAST_WORDS))
        : { content: [bash(`echo ${index} >> a.txt`)], usage: { output_tokens: Math.min(8_000, body.max_tokens) } },
    gateway: {
      // The agent is told of more than its next call then finds.
      limitUsd: () => limitUsd,
      awaitLease: async () => {
        limitUsd = 0.3
        return true
      },
    },
    assignment: { budgetUsd: 5 },
  })
  expect(endOf(await run())).toMatchObject({ reason: 'budget_exceeded', summary: LAST_WORDS })
  expect(door.log.join('')).not.toContain('gateway.failed')
  expect(spentAtGateway(errand)).toBeLessThanOrEqual(0.3)
})
