import * as z from 'zod'
import { EFFORTS, MODELS } from '../shared/models.ts'
import { requestBody } from './errors.ts'
import { DiffStat, ReceivedEvent, Usage } from './event.ts'
import { LIMITS } from './limits.ts'
import { Reason } from './reason.ts'
import { TaskStatus } from './status.ts'

const time = z.iso.datetime()

/** A client's own id for what it sends, such as a UUID. Sending the same id twice counts once. */
export const ClientId = z.string().min(1).max(200)

const Budget = z
  .number('must be a number, in US dollars')
  .positive('must be more than 0')
  .max(1000, 'must be at most 1000 US dollars')

/** Body of `POST /api/tasks`, and payload of `task:create`. */
export const CreateTask = requestBody({
  /** `https://host/owner/name` or `…/name.git`, on a host that this server allows. */
  repoUrl: z.string().min(1).max(2000),
  prompt: z
    .string()
    .max(LIMITS.promptChars)
    .refine((text) => text.trim().length > 0, 'describe what the agent should do'),
  baseBranch: z.string().min(1).max(200).optional(),
  model: z.enum(Object.keys(MODELS) as [string, ...string[]]).optional(),
  /** Defaults to the model's own. More effort costs more and takes longer. */
  effort: z.enum(EFFORTS).optional(),
  /** Defaults to the user's default budget. */
  budgetUsd: Budget.optional(),
  clientId: ClientId.optional(),
}).meta({ id: 'CreateTask' })
export type CreateTask = z.infer<typeof CreateTask>

/** A task as every client sees it. */
export const Task = z
  .object({
    id: z.string(),
    status: TaskStatus,
    reason: Reason.nullable(),
    /** `reason` in plain words, with what to do. */
    reasonText: z.string().nullable(),
    repoUrl: z.string(),
    baseBranch: z.string().nullable(),
    branch: z.string(),
    prompt: z.string(),
    model: z.string(),
    /** Null: the model's own. */
    effort: z.enum(EFFORTS).nullable(),
    budgetUsd: z.number(),
    /** True when the built-in demo model does the work instead of Claude. */
    demo: z.boolean(),
    turn: z.number().int().positive(),
    /** When its turn comes back, while it waits for the model (`model_waiting`); absent from earlier servers. */
    waitingUntil: time.nullable().default(null),
    /** How many tasks are ahead of it in line at the moment; null if it does not wait, or if more than 500 are ahead. */
    queuePosition: z.number().int().nonnegative().nullable(),
    /** The size of the branch's change; null until a turn has ended with one. */
    diff: DiffStat.nullable(),
    /** Number of the newest attempt; 0 before the first. */
    attempt: z.number().int().nonnegative(),
    lastSeq: z.number().int().nonnegative(),
    usage: Usage,
    pullRequestUrl: z.string().nullable(),
    createdAt: time,
    startedAt: time.nullable(),
    completedAt: time.nullable(),
    /** What went wrong, for a person, if the task failed. */
    error: z.string().nullable(),
  })
  .meta({ id: 'Task' })
export type Task = z.infer<typeof Task>

export const TaskPage = z.object({ items: z.array(Task), nextCursor: z.string().nullable() }).meta({ id: 'TaskPage' })
export type TaskPage = z.infer<typeof TaskPage>

export const ListTasks = z.object({
  status: TaskStatus.optional(),
  /** Words in the prompt or in the address of the repository. */
  search: z.string().max(200).optional(),
  repoUrl: z.string().max(2000).optional(),
  /** The beginning of a task's id. */
  id: z.string().max(64).optional(),
  cursor: z.string().max(200).optional(),
  limit: z.coerce.number<number>().int().min(1).max(100).default(30),
})
export type ListTasks = z.infer<typeof ListTasks>

export const ListEvents = z.object({
  after: z.coerce.number<number>().int().min(0).default(0),
  limit: z.coerce.number<number>().int().min(1).max(LIMITS.eventsPerPage).default(500),
})
export type ListEvents = z.infer<typeof ListEvents>

export const EventPage = z
  .object({ events: z.array(ReceivedEvent), lastSeq: z.number().int().nonnegative(), more: z.boolean() })
  .meta({ id: 'EventPage' })
export type EventPage = z.infer<typeof EventPage>

/** Limits the answer to what one turn changed. The default is the whole branch. */
export const OfTurn = z.object({ turn: z.coerce.number<number>().int().positive().optional() })

export const CreateProject = requestBody({
  repoUrl: z.string().min(1).max(2000),
  name: z.string().trim().min(1).max(100).optional(),
}).meta({ id: 'CreateProject' })
export type CreateProject = z.infer<typeof CreateProject>

export const Project = z
  .object({ id: z.string(), repoUrl: z.string(), name: z.string(), createdAt: time })
  .meta({ id: 'Project' })
export type Project = z.infer<typeof Project>

export const Me = z
  .object({
    id: z.string(),
    name: z.string(),
    avatarUrl: z.string().nullable(),
    admin: z.boolean(),
    /** True when this server has no model key and works with the built-in demo model. */
    demo: z.boolean(),
    /** Address of the demo repository. */
    demoRepoUrl: z.string(),
    gitHosts: z.array(z.string()),
    models: z.array(z.string()),
    defaultModel: z.string(),
    /** The budget of a new task that names none: the user's default, or else the server's. */
    defaultBudgetUsd: z.number(),
    /** The user's own default; null if they have not set one. */
    ownBudgetUsd: z.number().nullable(),
  })
  .meta({ id: 'Me' })
export type Me = z.infer<typeof Me>

/** Body of `PATCH /api/me`. Omitted fields stay as they are. */
export const ChangeMe = requestBody({ ownBudgetUsd: Budget.nullable().optional() }).meta({ id: 'ChangeMe' })
export type ChangeMe = z.infer<typeof ChangeMe>

/** Body of `PUT /api/me/credentials`. The token is stored encrypted and never returned. */
export const PutCredential = requestBody({
  /** Host name, with the port unless it is the usual one: `github.com`, `git.example.org:8443`. */
  host: z
    .string()
    .min(1)
    .max(255)
    .regex(/^[a-z0-9.-]+(:\d{1,5})?$/, 'a host name in lower case, without scheme or path'),
  username: z.string().min(1).max(255).optional(),
  token: z.string().min(1).max(10_000),
}).meta({ id: 'PutCredential' })
export type PutCredential = z.infer<typeof PutCredential>

export const Credential = z
  .object({ host: z.string(), username: z.string().nullable(), createdAt: time })
  .meta({ id: 'Credential' })
export type Credential = z.infer<typeof Credential>

export const CreateToken = requestBody({ name: z.string().trim().min(1).max(100) }).meta({ id: 'CreateToken' })
export type CreateToken = z.infer<typeof CreateToken>

export const ApiToken = z
  .object({ id: z.string(), name: z.string(), createdAt: time, lastUsedAt: time.nullable() })
  .meta({ id: 'ApiToken' })
export type ApiToken = z.infer<typeof ApiToken>

/** The only answer that contains the token itself. */
export const NewApiToken = ApiToken.extend({ token: z.string() }).meta({ id: 'NewApiToken' })
export type NewApiToken = z.infer<typeof NewApiToken>

/** `GET /auth/ways`: how a person can sign in here, besides the one-time link. */
export const SignInWays = z.object({ github: z.boolean() }).meta({ id: 'SignInWays' })
export type SignInWays = z.infer<typeof SignInWays>

/** Why a link opens only on the server's own machine, and what to set so that a phone can open it. `phone-access.ts` explains the fields. */
const OnlyHere = z
  .object({ phoneUrl: z.string().nullable(), reachable: z.boolean(), settings: z.array(z.string()).readonly() })
  .meta({ id: 'OnlyHere' })

/** An address that signs in anyone who opens it, once. `onlyHere`: null if other devices can open it; absent if the server cannot tell. */
export const SignInLink = z.object({ url: z.string(), expiresAt: time, onlyHere: OnlyHere.nullish() }).meta({ id: 'SignInLink' })
export type SignInLink = z.infer<typeof SignInLink>

/** Body of `POST /api/tasks/:id/messages`, and payload of `task:message` together with `taskId`. */
export const SendMessage = requestBody({
  text: CreateTask.shape.prompt,
  /**
   * `steer` delivers the message to the running turn, between two tools. `queue` makes it a turn of its own, after this one. On an ended
   * task, both start the next turn.
   */
  mode: z.enum(['steer', 'queue']),
  /**
   * Cancels the running turn and starts the next one with this message, whatever `mode` is. On an ended task it changes nothing: the
   * message starts the next turn anyway. Defaults to false. It takes effect once per `clientId`.
   */
  stopFirst: z.boolean().optional(),
  clientId: ClientId,
}).meta({ id: 'SendMessage' })
export type SendMessage = z.infer<typeof SendMessage>

export const Message = z
  .object({
    id: z.string(),
    taskId: z.string(),
    clientId: z.string().nullable(),
    text: z.string(),
    mode: z.enum(['steer', 'queue']),
    state: z.enum(['waiting', 'delivered', 'withdrawn']),
    /** The turn that received it; null while it waits. */
    turn: z.number().int().positive().nullable(),
    createdAt: time,
  })
  .meta({ id: 'Message' })
export type Message = z.infer<typeof Message>

/** Body of `POST /api/tasks/:id/retry`: runs the last turn again, with another model if named, and adds this budget to what is left. */
export const RetryTask = requestBody({
  model: CreateTask.shape.model,
  effort: CreateTask.shape.effort,
  budgetUsd: CreateTask.shape.budgetUsd,
  clientId: ClientId.optional(),
}).meta({ id: 'RetryTask' })
export type RetryTask = z.infer<typeof RetryTask>

/** Body of `PATCH /api/tasks/:id`: the most that the task may cost in all, US dollars. A running turn learns of it. */
export const ChangeTask = requestBody({ budgetUsd: Budget }).meta({ id: 'ChangeTask' })
export type ChangeTask = z.infer<typeof ChangeTask>

/** A browser session or an API token that is signed in as a user. */
export const Device = z
  .object({
    id: z.string(),
    kind: z.enum(['browser', 'token']),
    name: z.string(),
    createdAt: time,
    lastUsedAt: time.nullable(),
    /** Whether this request came from it. */
    current: z.boolean(),
    /** Whether it is the server's own token. It cannot be revoked: `errand link` needs it to sign the owner in again. */
    serverOwn: z.boolean(),
  })
  .meta({ id: 'Device' })
export type Device = z.infer<typeof Device>

/** What a user wants to be notified of, and how. */
export const Notifications = requestBody({
  onDone: z.boolean(),
  onFailed: z.boolean(),
  onAttention: z.boolean(),
  /** Receives a POST with JSON `{title, body, url}` for each notification. May be the address of an ntfy topic. Null: none. */
  webhookUrl: z
    .url({ protocol: /^https?$/ })
    .max(2000)
    .nullable(),
}).meta({ id: 'Notifications' })
export type Notifications = z.infer<typeof Notifications>

/** `GET /api/me/notifications`. */
export const NotificationSettings = z
  .object({
    ...Notifications.shape,
    /** For `pushManager.subscribe`, base64url. */
    vapidPublicKey: z.string(),
    subscriptions: z.number().int().nonnegative(),
  })
  .meta({ id: 'NotificationSettings' })
export type NotificationSettings = z.infer<typeof NotificationSettings>

/** What a browser's `PushSubscription.toJSON()` returns. */
export const PushSubscription = requestBody({
  endpoint: z.url({ protocol: /^https?$/ }).max(2000),
  keys: requestBody({ p256dh: z.string().max(200), auth: z.string().max(100) }),
  expirationTime: z.number().nullable().optional(),
}).meta({ id: 'PushSubscription' })
export type PushSubscription = Omit<z.infer<typeof PushSubscription>, 'expirationTime'>

/** Body of `DELETE /api/me/push/subscriptions`. */
export const EndSubscription = requestBody({ endpoint: PushSubscription.shape.endpoint })

/** The code of a one-time sign-in link. */
export const LinkCode = z.object({ code: z.string('the link is incomplete: open all of it, as printed').min(1).max(200) })
