import type { IncomingMessage, ServerResponse } from 'node:http'
import { text } from 'node:stream/consumers'
import type { Task } from '../../../contract/api/api.ts'
import type { TaskEvent } from '../../../contract/api/event.ts'

export const SCRIPTED_TASK = 'tsk_aaaaaaaaaaaaaaaa'
export const TOKEN = 'a-token'
export const AT = '2026-11-21T10:00:00.000Z'

/** What the server stored, and the faults it plays next. */
export type Script = {
  stored: TaskEvent[]
  created: Map<string, Task>
  /** Tasks that are in the list alone. */
  others: Task[]
  /** How many answers are cut off after the request took effect. */
  cuts: number
  /** What happens to the bodies of the next answers after their first byte. */
  spoil: { how: 'cut' | 'hang'; times: number }
  /** How many answers were spoiled. */
  spoiled: number
  /** What is refused next, and how often: a connection, or to watch. */
  refusals: { door: number; watch: number }
}

type Answers = {
  write: (status: number, type: string, body: string) => void
  send: (status: number, body: unknown) => void
  refuse: (status: number, code: string, message: string) => void
  cut: () => void
}

/** Answers one request as the API would, with the faults of the script. */
export async function answer(script: Script, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const answers = answersTo(script, request, response)
  const { send, refuse } = answers
  const { pathname: path, searchParams } = new URL(request.url ?? '', 'http://x')
  if (request.headers.authorization !== `Bearer ${TOKEN}`) return refuse(401, 'unauthorized', 'Sign in, or send a valid token.')
  if (path === '/api/tasks' && request.method === 'POST')
    return createTask(script, JSON.parse(await text(request)) as NewTask & { clientId: string }, answers)
  if (path === '/api/tasks') {
    const known = [...script.created.values(), ...script.others]
    return send(200, { items: known.filter(({ id }) => id.startsWith(searchParams.get('id') ?? '')), nextCursor: null })
  }
  if (path === '/api/me') return send(200, ME)
  if (path === '/auth/links') return send(201, { url: 'http://127.0.0.1/auth/link?code=1', expiresAt: AT })
  if (path.startsWith(`/api/tasks/${SCRIPTED_TASK}`))
    return answerOfTask(script, path, Number(searchParams.get('after')), answers)
  refuse(404, 'not_found', 'Task not found.')
}

function answersTo(script: Script, request: IncomingMessage, response: ServerResponse): Answers {
  const write: Answers['write'] = (status, type, body) => {
    response.writeHead(status, { 'content-type': type })
    if (script.spoil.times-- <= 0) return void response.end(body)
    response.write(body.slice(0, 1), () => {
      script.spoiled += 1
      if (script.spoil.how === 'cut') request.socket.destroy()
    })
  }
  const send: Answers['send'] = (status, body) => write(status, 'application/json', JSON.stringify(body))
  return {
    write,
    send,
    refuse: (status, code, message) => send(status, { error: { code, message, requestId: 'r1' } }),
    cut: () => void request.socket.destroy(),
  }
}

function createTask(script: Script, { clientId, ...input }: NewTask & { clientId: string }, { send, refuse, cut }: Answers) {
  if (input.repoUrl.startsWith('http://evil')) return refuse(400, 'invalid', 'This server does not allow that host.')
  const task = script.created.get(clientId) ?? taskOf(input)
  script.created.set(clientId, task)
  if (script.cuts-- > 0) return cut()
  send(201, task)
}

function answerOfTask({ stored }: Script, path: string, after: number, { write, send, refuse }: Answers) {
  if (path.endsWith('/cancel')) return refuse(409, 'conflict', 'The task has ended.')
  if (path.endsWith('/diff')) return write(200, 'text/x-diff', '-a\n+b\n')
  if (!path.endsWith('/events')) return send(200, taskOf())
  const events = stored.slice(after, after + 10)
  send(200, { events, lastSeq: stored.length, more: after + events.length < stored.length })
}

const NO_USAGE = { inputTokens: 0, outputTokens: 0, cacheReadTokens: 0, cacheWriteTokens: 0, costUsd: 0 }

const ME = {
  id: 'usr_1',
  name: 'Owner',
  avatarUrl: null,
  admin: true,
  demo: true,
  demoRepoUrl: 'http://127.0.0.1:1/demo/git/hello.git',
  gitHosts: ['https://github.com'],
  models: ['claude-opus-5-5'],
  defaultModel: 'claude-opus-5-5',
  defaultBudgetUsd: 5,
  ownBudgetUsd: null,
}

type NewTask = { repoUrl: string; prompt: string; baseBranch?: string }

export function taskOf({ repoUrl, prompt, baseBranch }: NewTask = { repoUrl: 'https://example.org/a/b', prompt: 'x' }): Task {
  return {
    id: SCRIPTED_TASK,
    status: 'running',
    reason: null,
    reasonText: null,
    repoUrl,
    baseBranch: baseBranch ?? null,
    branch: `errand/${SCRIPTED_TASK}/work`,
    prompt,
    model: 'claude-opus-5-5',
    effort: null,
    budgetUsd: 5,
    demo: true,
    turn: 1,
    waitingUntil: null,
    queuePosition: null,
    diff: null,
    attempt: 1,
    lastSeq: 0,
    usage: NO_USAGE,
    pullRequestUrl: null,
    createdAt: AT,
    startedAt: AT,
    completedAt: null,
    error: null,
  }
}
