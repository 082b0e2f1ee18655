import { z } from 'zod'
import * as api from '../../contract/api/api.ts'
import type { ErrorCode } from '../../contract/api/errors.ts'
import { Overview } from '../../contract/api/overview.ts'

/** One call as the description shows it. */
export type Call = { method: 'get' | 'post' | 'put' | 'patch' | 'delete'; path: string; summary: string; tag: string } & Details

type Details = {
  /** Of the good answer. */
  status: number
  answer?: z.ZodType
  answerType?: string
  query?: z.ZodObject
  headers?: z.ZodObject
  body?: z.ZodType
  bodyType?: string
  bodyRequired?: false
  /** Other statuses that come with the same answer. */
  alike?: readonly number[]
  /** Whether it answers a Range header. */
  ranges?: true
  access?: 'anybody'
  /** Beyond those that the parts above bring along. */
  errors?: readonly ErrorCode[]
}

function call(tag: string) {
  return (method: Call['method'], path: string, summary: string, details: Details) => ({
    method,
    path,
    summary,
    tag,
    ...details,
  })
}

const text = z.string()
const page = { answer: text, answerType: 'text/html' }
function listOf(item: z.ZodType) {
  return z.object({ items: z.array(item) })
}

const task = call('tasks')
const OfTurn = z.object({ turn: z.coerce.number().int().positive().optional() })
const TASKS: Call[] = [
  task('post', '/api/tasks', 'Send a task; the same Idempotency-Key or clientId gives the same task, with 200', {
    headers: z.object({ 'Idempotency-Key': api.ClientId.optional() }),
    body: api.CreateTask,
    status: 201,
    alike: [200],
    answer: api.Task,
    errors: ['conflict'],
  }),
  task('get', '/api/tasks', 'Your tasks, newest first', { query: api.ListTasks, status: 200, answer: api.TaskPage }),
  task('get', '/api/tasks/:id', 'One task', { status: 200, answer: api.Task }),
  task('get', '/api/tasks/:id/events', 'What happened after a seq, in order and without a hole', {
    query: api.ListEvents,
    status: 200,
    answer: api.EventPage,
  }),
  task('get', '/api/tasks/:id/messages', 'Everything that was said to a task, in order', {
    status: 200,
    answer: listOf(api.Message),
  }),
  task('post', '/api/tasks/:id/messages', 'Say something to a task; the same clientId is the same message, with 200', {
    body: api.SendMessage,
    status: 201,
    alike: [200],
    answer: api.Message,
    errors: ['conflict'],
  }),
  task('delete', '/api/tasks/:id/messages/:messageId', 'Take back a message that waits', {
    status: 200,
    answer: api.Message,
    errors: ['conflict'],
  }),
  task('get', '/api/tasks/:id/diff', 'The newest patch of the branch, or what one turn changed', {
    query: OfTurn,
    status: 200,
    answer: text,
    answerType: 'text/x-diff',
  }),
  task('get', '/api/tasks/:id/changes', 'The same, file by file; binary and huge files are named and not shown', {
    query: OfTurn,
    status: 200,
    answer: api.Changes,
  }),
  task('get', '/api/tasks/:id/outputs/:callId', 'The whole output of a tool call that was shown in part; takes Range', {
    headers: z.object({ Range: text.optional() }),
    ranges: true,
    status: 200,
    answer: text,
    answerType: 'text/plain',
  }),
  task('get', '/api/tasks/:id/bundle', 'Work that could not be pushed, as a git bundle', {
    status: 200,
    answer: text,
    answerType: 'application/octet-stream',
  }),
  task('post', '/api/tasks/:id/cancel', 'Stop a task; a running one ends soon after, as cancelled', {
    status: 202,
    answer: api.Task,
    errors: ['conflict'],
  }),
  task('post', '/api/tasks/:id/retry', 'The last turn of an ended task again, perhaps with another model or more budget', {
    body: api.RetryTask,
    bodyRequired: false,
    status: 202,
    answer: api.Task,
    errors: ['conflict'],
  }),
]

const project = call('projects')
const PROJECTS: Call[] = [
  project('get', '/api/projects', 'Repositories that you keep at hand', { status: 200, answer: listOf(api.Project) }),
  project('post', '/api/projects', 'Keep a repository at hand; the same one is the same project', {
    body: api.CreateProject,
    status: 201,
    answer: api.Project,
  }),
  project('delete', '/api/projects/:id', 'Forget a project; its tasks stay', { status: 204 }),
]

const me = call('me')
const ME: Call[] = [
  me('get', '/api/me', 'Who you are, and what this server offers', { status: 200, answer: api.Me }),
  me('patch', '/api/me', 'Set your own default budget; null goes back to the server’s', {
    body: api.ChangeMe,
    status: 200,
    answer: api.Me,
  }),
  me('get', '/api/me/credentials', 'Your access to git hosts, without the tokens', {
    status: 200,
    answer: listOf(api.Credential),
  }),
  me('put', '/api/me/credentials', 'Set your access to a git host; kept encrypted, never returned', {
    body: api.PutCredential,
    status: 200,
    answer: api.Credential,
  }),
  me('delete', '/api/me/credentials/:host', 'Forget your access to a git host', { status: 204 }),
  me('get', '/api/me/tokens', 'Your API tokens, without the tokens themselves', { status: 200, answer: listOf(api.ApiToken) }),
  me('post', '/api/me/tokens', 'Make an API token; no later answer holds it', {
    body: api.CreateToken,
    status: 201,
    answer: api.NewApiToken,
  }),
  me('delete', '/api/me/tokens/:id', 'Revoke an API token; not the one of the server itself', {
    status: 204,
    errors: ['conflict'],
  }),
  me('get', '/api/me/devices', 'What is signed in as you: browsers and API tokens', { status: 200, answer: listOf(api.Device) }),
  me('delete', '/api/me/devices/:id', 'Sign a browser out, or revoke a token; it is cut off at once', {
    status: 204,
    errors: ['conflict'],
  }),
  me('post', '/api/me/devices/sign-out-everywhere', 'Sign out every browser, and revoke every token but the server’s own', {
    status: 204,
  }),
]

const notification = call('notifications')
const NOTIFICATIONS: Call[] = [
  notification('get', '/api/me/notifications', 'What you are told of, and how', {
    status: 200,
    answer: api.NotificationSettings,
  }),
  notification('put', '/api/me/notifications', 'Choose what you are told of, and a webhook', {
    body: api.Notifications,
    status: 200,
    answer: api.NotificationSettings,
  }),
  notification('post', '/api/me/notifications/test', 'Send a notification to all that is set up', {
    status: 204,
    errors: ['conflict'],
  }),
  notification('post', '/api/me/push/subscriptions', 'Have this browser told, by Web Push', {
    body: api.PushSubscription,
    status: 204,
  }),
  notification('delete', '/api/me/push/subscriptions', 'Have this browser told no more', {
    body: api.EndSubscription,
    status: 204,
  }),
]

const signIn = call('sign-in')
const Code = z.object({ code: text })
const GithubAnswer = z.object({ code: text.optional(), state: text.optional(), error: text.optional() })
const SIGN_IN: Call[] = [
  signIn('get', '/auth/ways', 'How one can sign in here, beside the one-time link', {
    access: 'anybody',
    status: 200,
    answer: api.SignInWays,
  }),
  signIn('get', '/auth/github', 'Go to GitHub to sign in', { access: 'anybody', status: 302, errors: ['not_found'] }),
  signIn('get', '/auth/github/callback', 'Back from GitHub', {
    access: 'anybody',
    query: GithubAnswer,
    status: 303,
    errors: ['forbidden', 'not_found'],
  }),
  signIn('post', '/auth/links', 'Make a link that signs you in on another device: once, within ten minutes', {
    status: 201,
    answer: api.SignInLink,
  }),
  signIn('get', '/auth/link', 'The page of such a link; looking at it does not use it up', {
    access: 'anybody',
    query: Code,
    status: 200,
    ...page,
    errors: ['forbidden'],
  }),
  signIn('post', '/auth/link', 'Use the link', {
    access: 'anybody',
    body: Code,
    bodyType: 'application/x-www-form-urlencoded',
    status: 303,
    errors: ['forbidden'],
  }),
  signIn('post', '/auth/logout', 'Sign out of this browser', { access: 'anybody', status: 303, errors: ['forbidden'] }),
]

const server = call('server')
const Health = z.object({ status: text })
const Readiness = Health.extend({ store: z.boolean(), redis: z.boolean() })
const SERVER: Call[] = [
  server('get', '/healthz', 'Whether the process runs', { access: 'anybody', status: 200, answer: Health }),
  server('get', '/readyz', 'Whether the store and Redis take writes; 503 with the same body when one does not', {
    access: 'anybody',
    status: 200,
    alike: [503],
    answer: Readiness,
  }),
  server('get', '/metrics', 'For Prometheus', {
    access: 'anybody',
    status: 200,
    answer: text,
    answerType: 'text/plain',
    errors: ['unavailable'],
  }),
  server('get', '/openapi.json', 'This description', { access: 'anybody', status: 200, answer: z.looseObject({}) }),
  server('get', '/docs', 'This description, for people', { access: 'anybody', status: 200, ...page }),
  server('get', '/', 'The app', { access: 'anybody', status: 200, ...page, errors: ['unavailable'] }),
  server('get', '/api/admin/overview', 'Runners, tasks and users at a glance, for admins', {
    status: 200,
    answer: Overview,
    errors: ['forbidden'],
  }),
]

/** Every call that a client may make, in the order in which a reader wants them. Runners' own calls are in `contract/wire/lease.ts`. */
export const CALLS: readonly Call[] = [...TASKS, ...PROJECTS, ...ME, ...NOTIFICATIONS, ...SIGN_IN, ...SERVER]
