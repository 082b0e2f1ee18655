import { z } from 'zod'
import { TaskEvent, Usage } from './event.ts'
import { LIMITS } from './limits.ts'
import { MODELS } from './models.ts'
import { Reason } from './reason.ts'
import { TaskStatus } from './status.ts'

const time = z.iso.datetime()

/** A client's own id for what it sends (a UUID or the like): the same one twice is the same thing. */
export const ClientId = z.string().min(1).max(200)

/** Body of `POST /api/tasks`, and payload of `task:create`. */
export const CreateTask = z
  .object({
    /** `https://host/owner/name` or `…/name.git`, on a host that this server allows. */
    repoUrl: z.string().min(1).max(2000),
    prompt: z
      .string()
      .max(LIMITS.promptChars)
      .refine((text) => text.trim().length > 0, 'say what the agent is to do'),
    baseBranch: z.string().min(1).max(200).optional(),
    model: z.enum(Object.keys(MODELS) as [string, ...string[]]).optional(),
    budgetUsd: z.number('must be a number, in US dollars').positive('must be more than 0').max(1000).optional(),
    clientId: ClientId.optional(),
  })
  .meta({ id: 'CreateTask' })
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
    budgetUsd: z.number(),
    /** True when the built-in demo model does the work instead of Claude. */
    demo: z.boolean(),
    turn: z.number().int().positive(),
    /** Number of the newest attempt; 0 before the first. */
    attempt: z.number().int().nonnegative(),
    lastSeq: z.number().int().nonnegative(),
    usage: Usage,
    pullRequestUrl: z.string().nullable(),
    createdAt: time,
    startedAt: time.nullable(),
    completedAt: time.nullable(),
    /** What went wrong, for a person, when the task failed. */
    error: z.string().nullable(),
  })
  .meta({ id: 'Task' })
export type Task = z.infer<typeof Task>

export const TaskPage = z.object({ items: z.array(Task), nextCursor: z.string().nullable() }).meta({ id: 'TaskPage' })
export type TaskPage = z.infer<typeof TaskPage>

export const ListTasks = z.object({
  status: TaskStatus.optional(),
  cursor: z.string().max(200).optional(),
  limit: z.coerce.number().int().min(1).max(100).default(30),
})
export type ListTasks = z.infer<typeof ListTasks>

export const ListEvents = z.object({
  after: z.coerce.number().int().min(0).default(0),
  limit: z.coerce.number().int().min(1).max(LIMITS.eventsPerPage).default(500),
})
export type ListEvents = z.infer<typeof ListEvents>

export const EventPage = z
  .object({ events: z.array(TaskEvent), lastSeq: z.number().int().nonnegative(), more: z.boolean() })
  .meta({ id: 'EventPage' })

export const CreateProject = z
  .object({ repoUrl: z.string().min(1).max(2000), name: z.string().trim().min(1).max(100).optional() })
  .meta({ id: 'CreateProject' })
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
    defaultBudgetUsd: z.number(),
  })
  .meta({ id: 'Me' })
export type Me = z.infer<typeof Me>

/** Body of `PUT /api/me/credentials`. The token is kept encrypted and never returned. */
export const PutCredential = z
  .object({
    /** Host name, with a port when it is not the usual one: `github.com`, `git.example.org:8443`. */
    host: z
      .string()
      .min(1)
      .max(255)
      .regex(/^[a-z0-9.-]+(:\d{1,5})?$/, 'a host name in lower case, without scheme or path'),
    username: z.string().min(1).max(255).optional(),
    token: z.string().min(1).max(10_000),
  })
  .meta({ id: 'PutCredential' })
export type PutCredential = z.infer<typeof PutCredential>

export const Credential = z
  .object({ host: z.string(), username: z.string().nullable(), createdAt: time })
  .meta({ id: 'Credential' })
export type Credential = z.infer<typeof Credential>

export const CreateToken = z.object({ name: z.string().trim().min(1).max(100) }).meta({ id: 'CreateToken' })
export type CreateToken = z.infer<typeof CreateToken>

export const ApiToken = z
  .object({ id: z.string(), name: z.string(), createdAt: time, lastUsedAt: time.nullable() })
  .meta({ id: 'ApiToken' })
export type ApiToken = z.infer<typeof ApiToken>

/** The only answer that ever holds the token itself. */
export const NewApiToken = ApiToken.extend({ token: z.string() }).meta({ id: 'NewApiToken' })
export type NewApiToken = z.infer<typeof NewApiToken>

/** Answer of `POST /auth/links`: an address that signs its bearer in once, within a few minutes. */
export const SignInLink = z.object({ url: z.string(), expiresAt: time }).meta({ id: 'SignInLink' })
export type SignInLink = z.infer<typeof SignInLink>
