/**
 * Ten small tasks with hidden tests through the whole of Errand, several times each: how often they succeed, what they cost, how many steps they
 * take. With ANTHROPIC_API_KEY they go to Claude and cost money; without it a script stands in for the model. `npm run live` prints the table.
 */
import { parseArgs } from 'node:util'
import { giveAccess, type Outside, startOutside } from '../support/systems/outside.ts'
import { BUGS } from './bugs.ts'
import { checkInContainer, judge } from './judge.ts'
import { solves } from './scripted-model.ts'
import { type Run, report, runSuite } from './suite.ts'
import type { LiveTask } from './task.ts'
import { WORK } from './work.ts'

const HELP = `npm run live -- [--times 3] [--parallel 2] [--budget 5] [--minutes 60] [--model NAME] [--task NAME]…

  --budget   US dollars in all; --minutes in all. What might exceed them is not begun.
  --task     only this task; may be given several times
Set ANTHROPIC_API_KEY to send the tasks to Claude (.env is not read).`

const TASK_BUDGET_USD = 0.5
const TASK_MINUTES = 10
/** What a task may take beside its own limit: to start, and to save and push. */
const GRACE_MS = 120_000
const SCRIPTED = 'scripted model: this proves the plumbing, not the model'
const TASKS = [...BUGS, ...WORK]

async function main(stopped: AbortController): Promise<number> {
  const { values } = parseArgs({
    options: {
      times: { type: 'string', default: '3' },
      parallel: { type: 'string', default: '2' },
      budget: { type: 'string', default: '5' },
      minutes: { type: 'string', default: '60' },
      model: { type: 'string' },
      task: { type: 'string', multiple: true },
      help: { type: 'boolean' },
    },
  })
  const [times, parallel, budgetUsd, minutes] = [values.times, values.parallel, values.budget, values.minutes].map(Number)
  const tasks = TASKS.filter(({ name }) => values.task?.includes(name) ?? true)
  const numbers = [times, parallel, budgetUsd, minutes]
  if (values.help || tasks.length !== (values.task?.length ?? TASKS.length) || !numbers.every((number = 0) => number > 0)) {
    console.log(`${HELP}\nThe tasks: ${TASKS.map(({ name }) => name).join(', ')}`)
    return values.help ? 0 : 2
  }
  const isScripted = !process.env.ANTHROPIC_API_KEY
  const say = (line: string) => console.log(isScripted ? `[${SCRIPTED}] ${line}` : line)
  const outside = await open(values.parallel, values.model)
  const timer = setTimeout(() => stopped.abort(), Number(minutes) * 60_000)
  try {
    await giveAccess(outside)
    let count = 0
    const runs = await runSuite(
      tasks,
      {
        times: Number(times),
        parallel: Number(parallel),
        budgetUsd: Number(budgetUsd),
        taskBudgetUsd: TASK_BUDGET_USD,
        over: stopped.signal,
      },
      async (task) => {
        const run = await runTask(outside, task, `live/${task.name}-${++count}`, stopped.signal).catch((error) =>
          lost(task, error),
        )
        say(`${run.task}: ${run.fault ?? 'success'}, $${run.costUsd.toFixed(4)}, ${run.steps} steps, ${run.seconds.toFixed(1)} s`)
        return run
      },
    )
    const { text, ok } = report(
      tasks.map(({ name }) => name),
      runs,
      Number(times),
    )
    console.log(['', ...(isScripted ? [`${SCRIPTED}\n`] : []), text, ...(isScripted ? [`\n${SCRIPTED}`] : [])].join('\n'))
    return ok ? 0 : 1
  } finally {
    clearTimeout(timer)
    await outside.stop()
  }
}

/** The whole river, with Claude or the script as its model. */
function open(slots: string, model: string | undefined): Promise<Outside> {
  const { ANTHROPIC_API_KEY: key, ANTHROPIC_BASE_URL: url = 'https://api.anthropic.com', NODE_EXTRA_CA_CERTS = '' } = process.env
  return startOutside({
    policy: solves(TASKS),
    runners: [{ RUNNER_SLOTS: slots, NODE_EXTRA_CA_CERTS }],
    environment: {
      ...(key && { ANTHROPIC_API_KEY: key, ANTHROPIC_BASE_URL: url }),
      ...(model && { ERRAND_MODEL: model }),
      ERRAND_TIME_LIMIT_MINUTES: String(TASK_MINUTES),
    },
  })
}

async function runTask({ system, git }: Outside, task: LiveTask, name: string, stopped: AbortSignal): Promise<Run> {
  const repository = await git.addRepository(name, { files: { ...task.files } })
  const { id } = await system.send({ repoUrl: repository.url, prompt: task.prompt, budgetUsd: TASK_BUDGET_USD })
  const cancel = () => void system.api(`/api/tasks/${id}/cancel`, { method: 'POST' }).catch(() => undefined)
  stopped.addEventListener('abort', cancel, { once: true })
  try {
    const { status, reason, error, branch, usage, createdAt, completedAt } = await system.ended(
      id,
      TASK_MINUTES * 60_000 + GRACE_MS,
    )
    const events = await system.events(id)
    const summary = events.findLast((event) => event.type === 'turn.ended')?.data.summary ?? ''
    const result = { status, why: [reason, error].filter(Boolean).join(': '), summary, repository: repository.path, branch }
    return {
      task: task.name,
      fault: await judge(task, result, checkInContainer(process.env.RUNNER_IMAGE ?? 'errand-worker:latest')),
      costUsd: usage.costUsd,
      steps: events.filter(({ type }) => type === 'usage.counted').length,
      seconds: (Date.parse(completedAt ?? '') - Date.parse(createdAt)) / 1_000,
    }
  } finally {
    stopped.removeEventListener('abort', cancel)
  }
}

/** A run whose end is unknown counts with all that it might have cost. */
function lost({ name: task }: LiveTask, error: unknown): Run {
  return { task, fault: String(error).slice(0, 1_000), costUsd: TASK_BUDGET_USD, steps: 0, seconds: 0 }
}

const stopped = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => stopped.abort())
process.exitCode = await main(stopped)
