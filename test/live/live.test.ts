import { describe, expect, it } from '@jest/globals'
import { execa } from 'execa'
import { temporaryFolder } from '../support/systems/temporary.ts'
import { BUGS } from './bugs.ts'
import { type Check, checkIn, checkInContainer, writeFiles } from './judge.ts'
import { type Run, report, runSuite } from './suite.ts'
import { edited, type LiveTask } from './task.ts'
import { WORK } from './work.ts'

const TASKS = [...BUGS, ...WORK]

const IMAGE = process.env.RUNNER_IMAGE ?? 'errand-worker:latest'

/** Quicker than a container; but this machine may have no Python. */
const checkHere: Check = async (cwd, command) => {
  const { PATH } = process.env
  const { exitCode, stderr } = await execa('sh', ['-c', command], { cwd, env: { PATH }, extendEnv: false, reject: false })
  return exitCode === 0 ? null : stderr
}

/** @returns what the hidden test says of these files; null when it passes */
async function verdictOn(
  task: Extract<LiveTask, { check: string }>,
  files: Readonly<Record<string, string>>,
): Promise<string | null> {
  const folder = await temporaryFolder()
  try {
    await writeFiles(folder.path, files)
    return await checkIn(folder.path, task, task.check.startsWith('python3') ? checkInContainer(IMAGE) : checkHere)
  } finally {
    await folder.remove()
  }
}

describe('the live suite', () => {
  it('has ten tasks with names and prompts of their own', () => {
    expect(new Set(TASKS.map(({ name }) => name)).size).toBe(10)
    expect(new Set(TASKS.map(({ prompt }) => prompt)).size).toBe(10)
    expect(TASKS.filter((task) => 'answer' in task)).toHaveLength(1)
    expect(TASKS.some(({ firstTry }) => firstTry)).toBe(true)
  })

  it.each(TASKS.filter((task) => 'check' in task))(
    '$name: the hidden test fails before and passes on the solution',
    async (task) => {
      expect(Object.keys(task.hidden).filter((name) => name in task.files)).toEqual([])
      expect(await verdictOn(task, task.files)).not.toBeNull()
      expect(await verdictOn(task, task.solution.reduce(edited, task.files))).toBeNull()
      if (task.firstTry) expect(await verdictOn(task, edited(task.files, task.firstTry))).not.toBeNull()
    },
  )

  it.each(TASKS.flatMap((task) => ('answer' in task ? [task] : [])))(
    '$name: the answer is in the files and in no prompt',
    (task) => {
      const all = Object.values(task.files).join('\n')
      expect(task.answer.filter((word) => !word.test(all))).toEqual([])
      expect(task.answer.every((word) => word.test(task.prompt))).toBe(false)
    },
  )
})

describe('a run of the suite', () => {
  const run = (task: string, costUsd: number, fault: string | null = null): Run => ({
    task,
    fault,
    costUsd,
    steps: 3,
    seconds: 1,
  })
  const bounds = { times: 2, parallel: 2, budgetUsd: 10, taskBudgetUsd: 1, over: new AbortController().signal }

  it('runs every task as often as asked for, no more of them at a time than allowed', async () => {
    let [now, most] = [0, 0]
    const runs = await runSuite(['a', 'b', 'c'], bounds, async (task) => {
      most = Math.max(most, ++now)
      await Promise.resolve()
      now -= 1
      return run(task, 0.1)
    })
    expect([
      runs
        .map(({ task }) => task)
        .sort()
        .join(''),
      most,
    ]).toEqual(['aabbcc', 2])
    expect(report(['a', 'b', 'c'], runs, 2)).toMatchObject({ ok: true, text: expect.stringContaining('$0.60 in all') })
  })

  it('begins nothing that might exceed the budget, and says that it is not whole', async () => {
    const runs = await runSuite(['a', 'b', 'c'], { ...bounds, budgetUsd: 2.5 }, async (task) => run(task, 1))
    expect(runs).toHaveLength(2)
    const { ok, text } = report(['a', 'b', 'c'], runs, 2)
    expect([ok, text.match(/4 of 6 runs were not begun/)?.length]).toEqual([false, 1])
  })

  it('begins nothing once it is over, and one failure is a failure of all', async () => {
    expect(await runSuite(['a'], { ...bounds, over: AbortSignal.abort() }, async (task) => run(task, 1))).toEqual([])
    const { ok, text } = report(['a'], [run('a', 1), run('a', 2, 'wrong')], 2)
    expect([ok, /\| a +\| +1\/2 \|/.test(text)]).toEqual([false, true])
  })
})
