import * as z from 'zod'
import * as api from './api.ts'
import { Changes } from './changes.ts'
import type { ErrorCode } from './errors.ts'
import { ChangeRunner, Overview, Storage } from './overview.ts'
import type { OperationId } from './routes.ts'

/** What one call takes and answers. The routes, the OpenAPI description and the typed client are made from it. */
export type Endpoint = {
  tag: 'tasks' | 'projects' | 'me' | 'notifications' | 'sign-in' | 'server'
  summary: string
  /** Absent: only a signed-in user may call it. */
  access?: 'anybody' | 'admin'
  query?: z.ZodObject
  headers?: z.ZodObject
  body?: z.ZodType
  bodyType?: string
  bodyRequired?: false
  /** The status of a successful answer. */
  status: number
  /** Other statuses with the same answer. */
  alike?: readonly number[]
  /** The JSON of a successful answer. */
  answer?: z.ZodType
  /** The media type of an answer that is not JSON. Its bytes are passed on unchanged. */
  answerType?: string
  /** Whether it answers a Range header. */
  ranges?: true
  /** Errors of this call alone. `openapi.ts` derives the usual ones from the rest of the endpoint. */
  errors?: readonly ErrorCode[]
}

function listOf<Item extends z.ZodType>(item: Item) {
  return z.object({ items: z.array(item) })
}

function tagged<const Endpoints extends Record<string, Omit<Endpoint, 'tag'>>>(tag: Endpoint['tag'], endpoints: Endpoints) {
  const entries = Object.entries(endpoints).map(([id, endpoint]) => [id, { ...endpoint, tag }])
  return Object.fromEntries(entries) as { [Id in keyof Endpoints]: Endpoints[Id] & Pick<Endpoint, 'tag'> }
}

const GithubAnswer = z.object({ code: z.string().optional(), state: z.string().optional(), error: z.string().optional() })
const Health = z.object({ status: z.string() })
/** `disk`: false while the disk has no room for new work; everything else still works. */
const Readiness = Health.extend({ store: z.boolean(), redis: z.boolean(), disk: z.boolean().default(true) })

export const ENDPOINTS = {
  ...tagged('tasks', {
    createTask: {
      summary: 'Send a task; the same Idempotency-Key or clientId returns the same task, with 200',
      headers: z.object({ 'Idempotency-Key': api.ClientId.optional() }),
      body: api.CreateTask,
      status: 201,
      alike: [200],
      answer: api.Task,
      errors: ['conflict'],
    },
    listTasks: { summary: 'List your tasks, newest first', query: api.ListTasks, status: 200, answer: api.TaskPage },
    findTask: { summary: 'Find one task', status: 200, answer: api.Task },
    changeTask: {
      summary: 'Change the budget of a task, also while it runs; not below what it has cost',
      body: api.ChangeTask,
      status: 200,
      answer: api.Task,
      errors: ['conflict'],
    },
    deleteTask: { summary: 'Delete an ended task with all that is kept of it', status: 204, errors: ['conflict'] },
    listEvents: {
      summary: 'List the events after a seq, in order and without gaps',
      query: api.ListEvents,
      status: 200,
      answer: api.EventPage,
    },
    listMessages: { summary: 'List the messages of a task, in order', status: 200, answer: listOf(api.Message) },
    sendMessage: {
      summary: 'Send a message to a task; the same clientId returns the same message, with 200',
      body: api.SendMessage,
      status: 201,
      alike: [200],
      answer: api.Message,
      errors: ['conflict'],
    },
    withdrawMessage: { summary: 'Withdraw a waiting message', status: 200, answer: api.Message, errors: ['conflict'] },
    downloadDiff: {
      summary: 'Download the newest patch of the branch, or of one turn',
      query: api.OfTurn,
      status: 200,
      answerType: 'text/x-diff',
    },
    findChanges: {
      summary: 'List the changed files with their patches; binary and huge files come without one',
      query: api.OfTurn,
      status: 200,
      answer: Changes,
    },
    downloadOutput: {
      summary: 'Download the whole output of a tool call that its event shows in part; supports Range',
      headers: z.object({ Range: z.string().optional() }),
      ranges: true,
      status: 200,
      answerType: 'text/plain',
    },
    downloadBundle: {
      summary: 'Download work that could not be pushed, as a git bundle',
      status: 200,
      answerType: 'application/octet-stream',
    },
    cancelTask: {
      summary: 'Cancel a task; a running one ends soon afterwards',
      status: 202,
      answer: api.Task,
      errors: ['conflict'],
    },
    retryTask: {
      summary: 'Run the last turn of an ended task again, with another model or more budget if you like',
      body: api.RetryTask,
      bodyRequired: false,
      status: 202,
      answer: api.Task,
      errors: ['conflict'],
    },
  }),
  ...tagged('projects', {
    listProjects: {
      summary: 'List your projects: repositories that you use often',
      status: 200,
      answer: listOf(api.Project),
    },
    createProject: {
      summary: 'Add a project; the same repository returns the same project',
      body: api.CreateProject,
      status: 201,
      answer: api.Project,
    },
    deleteProject: { summary: 'Delete a project; its tasks stay', status: 204 },
  }),
  ...tagged('me', {
    findMe: { summary: 'Show who you are and what this server offers', status: 200, answer: api.Me },
    changeMe: {
      summary: 'Set your default budget; null restores the default of the server',
      body: api.ChangeMe,
      status: 200,
      answer: api.Me,
    },
    listCredentials: {
      summary: 'List your access to git hosts, without the tokens',
      status: 200,
      answer: listOf(api.Credential),
    },
    putCredential: {
      summary: 'Set your access to a git host; stored encrypted, never returned',
      body: api.PutCredential,
      status: 200,
      answer: api.Credential,
    },
    deleteCredential: { summary: 'Delete your access to a git host', status: 204 },
    listTokens: {
      summary: 'List your API tokens, without the tokens themselves',
      status: 200,
      answer: listOf(api.ApiToken),
    },
    createToken: {
      summary: 'Create an API token; no later answer contains it',
      body: api.CreateToken,
      status: 201,
      answer: api.NewApiToken,
    },
    revokeToken: {
      summary: 'Revoke an API token, except the token of the server itself',
      status: 204,
      errors: ['conflict'],
    },
    listDevices: {
      summary: 'List the browsers and API tokens that are signed in as you',
      status: 200,
      answer: listOf(api.Device),
    },
    revokeDevice: {
      summary: 'Sign out a browser, or revoke a token; its connections close at once',
      status: 204,
      errors: ['conflict'],
    },
    revokeAllDevices: {
      summary: 'Sign out every browser, and revoke every token except the token of the server itself',
      status: 204,
    },
  }),
  ...tagged('notifications', {
    findNotifications: {
      summary: 'Show what you are notified of, and how',
      status: 200,
      answer: api.NotificationSettings,
    },
    putNotifications: {
      summary: 'Choose what you are notified of, and set a webhook',
      body: api.Notifications,
      status: 200,
      answer: api.NotificationSettings,
    },
    testNotifications: {
      summary: 'Send a test notification to every device and webhook that you set up',
      status: 204,
      errors: ['conflict'],
    },
    subscribe: { summary: 'Notify this browser, by Web Push', body: api.PushSubscription, status: 204 },
    unsubscribe: { summary: 'Stop notifying this browser', body: api.EndSubscription, status: 204 },
  }),
  ...tagged('sign-in', {
    findSignInWays: {
      summary: 'List the ways to sign in besides the one-time link',
      access: 'anybody',
      status: 200,
      answer: api.SignInWays,
    },
    signInByGithub: { summary: 'Go to GitHub to sign in', access: 'anybody', status: 302, errors: ['not_found'] },
    returnFromGithub: {
      summary: 'Return from GitHub',
      access: 'anybody',
      query: GithubAnswer,
      status: 303,
      errors: ['forbidden', 'not_found'],
    },
    createSignInLink: {
      summary: 'Create a link that signs you in on another device, once, within ten minutes',
      status: 201,
      answer: api.SignInLink,
    },
    openSignInLink: {
      summary: 'Open the page of a sign-in link; this does not use it up',
      access: 'anybody',
      query: api.LinkCode,
      status: 200,
      answerType: 'text/html',
      errors: ['forbidden'],
    },
    signInByLink: {
      summary: 'Sign in with the link',
      access: 'anybody',
      body: api.LinkCode,
      bodyType: 'application/x-www-form-urlencoded',
      status: 303,
      errors: ['forbidden'],
    },
    signOut: { summary: 'Sign out of this browser', access: 'anybody', status: 303, errors: ['forbidden'] },
  }),
  ...tagged('server', {
    checkHealth: { summary: 'Check that the process runs', access: 'anybody', status: 200, answer: Health },
    checkReadiness: {
      summary: 'Check that the store and Redis accept writes; 503 with the same body if one does not',
      access: 'anybody',
      status: 200,
      alike: [503],
      answer: Readiness,
    },
    readMetrics: {
      summary: 'Read the metrics, for Prometheus',
      access: 'anybody',
      status: 200,
      answerType: 'text/plain',
      errors: ['unavailable'],
    },
    describeApi: { summary: 'Fetch this description', access: 'anybody', status: 200, answer: z.looseObject({}) },
    readDocs: {
      summary: 'Read this description as a page',
      access: 'anybody',
      status: 200,
      answerType: 'text/html',
    },
    openApp: {
      summary: 'Open the app',
      access: 'anybody',
      status: 200,
      answerType: 'text/html',
      errors: ['unavailable'],
    },
    findStorage: { summary: 'Show what takes the space, for admins', status: 200, access: 'admin', answer: Storage },
    changeRunner: { summary: 'Drain a runner, or let it serve again', access: 'admin', body: ChangeRunner, status: 204 },
    findOverview: {
      summary: 'Show runners, tasks and users at a glance, for admins',
      status: 200,
      access: 'admin',
      answer: Overview,
    },
  }),
} satisfies Record<OperationId, Endpoint>

/** What a caller gets. */
export type AnswerOf<Id extends OperationId> = (typeof ENDPOINTS)[Id] extends { answer: infer Answer extends z.ZodType }
  ? z.output<Answer>
  : undefined

/** What a caller sends. */
export type BodyOf<Id extends OperationId> = (typeof ENDPOINTS)[Id] extends { body: infer Body extends z.ZodType }
  ? z.input<Body>
  : never
export type QueryOf<Id extends OperationId> = (typeof ENDPOINTS)[Id] extends { query: infer Query extends z.ZodType }
  ? z.input<Query>
  : never
