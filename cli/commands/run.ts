import { randomUUID } from 'node:crypto'
import { CreateTask } from '../../contract/api/api.ts'
import { readArguments } from '../input/arguments.ts'
import { placeOfCheckout } from '../input/checkout.ts'
import { readText, TEXT_OPTIONS } from '../input/read-text.ts'
import type { Context } from '../server/context.ts'
import { EXIT, Fault } from '../server/faults.ts'
import { narrate, narrateAsJson } from '../show/narrate.ts'

const USAGE =
  'errand run [--repo URL] [--base BRANCH] [--model MODEL] [--effort low|medium|high] [--budget USD] [--json] [--detach] "PROMPT" | - | --file PATH'

/** `errand run`: sends a task and follows it. */
export async function run(args: readonly string[], context: Context): Promise<number> {
  const options = {
    repo: { type: 'string' },
    base: { type: 'string' },
    model: { type: 'string' },
    effort: { type: 'string' },
    budget: { type: 'string' },
    json: { type: 'boolean' },
    detach: { type: 'boolean' },
    ...TEXT_OPTIONS,
  } as const
  const { values, given } = readArguments(args, options, ['PROMPT…'], USAGE)
  const { repo, base, model, effort, budget, file } = values
  const prompt = await readText(given[0], file, context)
  const place = repo ? { repoUrl: repo, ...(base ? { baseBranch: base } : {}) } : placeOfCheckout(base, context)
  const input = CreateTask.safeParse({
    ...place,
    prompt,
    ...(model ? { model } : {}),
    ...(effort ? { effort } : {}),
    ...(budget === undefined ? {} : { budgetUsd: Number(budget) }),
  })
  if (!input.success) {
    const [issue] = input.error.issues
    const option = OPTION_OF[String(issue?.path[0])] ?? 'prompt'
    throw new Fault(EXIT.refused, `${option}: ${issue?.message}\nUsage: ${USAGE}`)
  }
  return send(input.data, values, context)
}

const OPTION_OF: Readonly<Record<string, string>> = {
  repoUrl: '--repo',
  baseBranch: '--base',
  model: '--model',
  effort: '--effort',
  budgetUsd: '--budget',
}

/** `errand demo`: the first of the demo repository's example tasks. */
export async function demo(args: readonly string[], context: Context): Promise<number> {
  const options = { json: { type: 'boolean' }, detach: { type: 'boolean' } } as const
  const { values } = readArguments(args, options, [], 'errand demo [--json] [--detach]')
  const { demoRepoUrl } = await context.api().findMe()
  return send({ repoUrl: demoRepoUrl, prompt: 'Fix the failing test.' }, values, context)
}

/** Sends a task once, even if the network fails in between, and follows it unless `detach` is set. */
export async function send(
  input: CreateTask,
  { json = false, detach = false }: { json?: boolean | undefined; detach?: boolean | undefined },
  context: Context,
): Promise<number> {
  const task = await context.api().createTask({ ...input, clientId: randomUUID() })
  if (detach) {
    context.print(json ? JSON.stringify(task) : task.id)
    return EXIT.completed
  }
  return json ? narrateAsJson(context, task) : narrate(context, task)
}
