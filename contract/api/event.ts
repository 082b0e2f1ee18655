import * as z from 'zod'
import { EFFORTS } from '../shared/models.ts'
import { LIMITS } from './limits.ts'
import { Reason } from './reason.ts'
import { Outcome, TaskStatus } from './status.ts'

function text(max: number) {
  return z.string().max(max)
}
const count = z.number().int().nonnegative()
const time = z.iso.datetime()

/** Why the agent waits for the model: what its last try ran into. `silent`: the connection stayed open, but nothing was written. */
export const ModelWait = z.enum(['overloaded', 'rate_limited', 'unavailable', 'unreachable', 'silent', 'garbled'])
export type ModelWait = z.infer<typeof ModelWait>

/** The size of a change, in files and lines. */
export const DiffStat = z.object({ files: count, insertions: count, deletions: count })
export type DiffStat = z.infer<typeof DiffStat>

/** What one or more model calls used; tokens, and US dollars at the list price. */
export const Usage = z
  .object({
    inputTokens: count,
    outputTokens: count,
    cacheReadTokens: count,
    cacheWriteTokens: count,
    costUsd: z.number().nonnegative(),
  })
  .meta({ id: 'Usage' })
export type Usage = z.infer<typeof Usage>

/**
 * The data of each event type. Pairs nest: `attempt.started … attempt.ended`, `turn.started … turn.ended`, `tool.started … tool.ended`,
 * `model.waiting … model.resumed`. Every attempt that started ends; `task.ended` is the last of a turn.
 */
export const EVENT_DATA = {
  'task.created': z.object({
    repoUrl: z.string(),
    baseBranch: z.string().nullable(),
    model: z.string(),
    /** Absent or null: the model's own. */
    effort: z.enum(EFFORTS).nullish(),
    budgetUsd: z.number(),
    demo: z.boolean(),
  }),
  'message.received': z.object({
    messageId: z.string(),
    turn: count,
    text: text(LIMITS.promptChars),
    /**
     * Null: the message started its turn. Otherwise a turn was already waiting or running, and `turn` is the turn the message is meant for.
     */
    mode: z.enum(['steer', 'queue']).nullable().default(null),
    clientId: z.string().nullable(),
  }),
  /** A waiting message reached the agent: between two of its tools (`steer`), or as the beginning of a turn. */
  'message.delivered': z.object({ messageId: z.string(), turn: count }),
  'message.withdrawn': z.object({ messageId: z.string() }),
  'attempt.started': z.object({ turn: count, runner: z.string() }),
  'sandbox.ready': z.object({ node: text(40) }),
  'repo.cloned': z.object({ baseBranch: text(255), commit: text(64), branch: text(255), resumed: z.boolean() }),
  'turn.started': z.object({ turn: count, model: text(100) }),
  'text.written': z.object({
    text: text(LIMITS.textChars),
    /** True if the model was stopped while it wrote this: the text ends in the middle. */
    cutOff: z.boolean().optional(),
  }),
  /** A sentence of Errand's own for the person, about something that happened to the conversation. */
  'note.written': z.object({ text: text(LIMITS.noteChars) }),
  'tool.started': z.object({ callId: text(200), name: text(100), title: text(300), input: z.unknown() }),
  'tool.ended': z.object({
    callId: text(200),
    name: text(100),
    ok: z.boolean(),
    /** What the call printed, and nothing else. */
    output: text(LIMITS.toolOutputChars),
    /** Bytes of the whole output; more than `output` has if it was cut. */
    outputBytes: count,
    exitCode: z.number().int().nullable(),
    durationMs: count,
    /** How it ended, for a person, if exit code and duration do not tell the whole story. */
    note: text(500).optional(),
    /** True if it was ended from outside: by a cancel, the time limit or a lost runner. Absent in events of earlier versions. */
    cutOff: z.boolean().optional(),
  }),
  /**
   * The conversation with the model became long and was replaced by a summary: tokens before and after, estimated. `bySummary`: the model
   * wrote the summary; otherwise it could not, and Errand kept an extract.
   */
  'context.compacted': z.object({ beforeTokens: count, afterTokens: count, bySummary: z.boolean() }),
  /**
   * A model call failed, and the next try follows at `until`. A further try that fails emits another one; `model.resumed` ends them all.
   * `attempt`: how many tries of this call have failed.
   */
  'model.waiting': z.object({ reason: ModelWait, attempt: count, until: time }),
  /** The wait is over. `answered` false: not because the model answered, but because the turn or its attempt ended. */
  'model.resumed': z.object({ waitedMs: count, answered: z.boolean() }),
  'usage.counted': Usage.extend({ model: z.string(), estimated: z.boolean() }),
  'checkpoint.saved': z.object({ commit: text(64) }),
  'host.blocked': z.object({ host: text(255), method: text(20), advice: text(500) }),
  'branch.pushed': z.object({
    branch: text(255),
    commit: text(64),
    /** The branch's commit before; null: it was not there. Absent in events of earlier versions. */
    before: text(64).nullable().optional(),
  }),
  'pull_request.opened': z.object({ url: z.string(), number: count }),
  'turn.ended': z.object({
    turn: count,
    outcome: Outcome,
    reason: Reason,
    /** The agent's own account of its work and its checks. */
    summary: text(LIMITS.textChars),
    /** What went wrong, for a person; null when nothing did. */
    message: text(2000).nullable(),
    /** The size of the change on the branch. Null: nothing was pushed that has a size. */
    diff: DiffStat.nullable(),
    /**
     * The pushed commit from which Errand itself read `diff` and made the patches. Null: `diff` is the agent's own account, because nothing was
     * pushed or the commit could not be read. Absent in events of earlier versions, whose `diff` is that too.
     */
    commit: text(64).nullable().optional(),
    until: time.optional(),
  }),
  /** `until`: when the queue brings the turn back; only of an attempt that ended because the model does not answer (`model_waiting`). */
  'attempt.ended': z.object({ outcome: Outcome, reason: Reason, message: text(2000).nullable(), until: time.optional() }),
  'task.ended': z.object({
    turn: count,
    status: TaskStatus,
    reason: Reason,
    message: text(2000).nullable(),
    branch: z.string().nullable(),
  }),
} as const

export type EventType = keyof typeof EVENT_DATA
export const EventType = z.enum(Object.keys(EVENT_DATA) as [EventType, ...EventType[]])
export type EventData<T extends EventType> = z.infer<(typeof EVENT_DATA)[T]>

/** An event that has no `seq` yet. */
export type NewEvent = { [T in EventType]: { type: T; data: EventData<T> } }[EventType]

/** An event as it is stored and as every client gets it. `seq` is 1, 2, 3… per task without a hole; `attempt` is 0 outside any attempt. */
export type TaskEvent = NewEvent & { taskId: string; seq: number; attempt: number; at: string }

const members = EventType.options.map((type) => z.object({ type: z.literal(type), data: EVENT_DATA[type] }))

/** Parses `{type, data}` with the schema of its type; unknown keys are dropped. */
export const NewEvent = z.discriminatedUnion(
  'type',
  members as unknown as [(typeof members)[0]],
) as unknown as z.ZodType<NewEvent>

/**
 * A piece of text as the model writes it; `offset` counts characters since the last `text.written` of the attempt. With `callId`, the newest
 * output of that running call; `offset` counts the characters of it that were shown.
 */
export const Delta = z.object({
  taskId: z.string(),
  attempt: z.number().int().positive(),
  callId: text(200).optional(),
  offset: count,
  text: text(LIMITS.deltaChars),
})
export type Delta = z.infer<typeof Delta>

const PLACE = {
  taskId: z.string(),
  seq: z.number().int().positive(),
  /** 0 outside any attempt. */
  attempt: z.number().int().nonnegative(),
  at: z.iso.datetime(),
}

const known = EventType.options.map((type) =>
  z.looseObject({ ...PLACE, type: z.literal(type), data: EVENT_DATA[type].loose() }).meta({ id: schemaNameOf(type) }),
)

/** An event of a newer server. Clients skip its type but count its `seq`. */
const LaterEvent = z
  .looseObject({
    ...PLACE,
    type: z.string().refine((type) => !Object.hasOwn(EVENT_DATA, type), 'a known event has the data of its type'),
    data: z.record(z.string(), z.unknown()),
  })
  .meta({ id: 'LaterEvent', description: 'A type that this description does not know yet: skip it.' })

/** A {@link TaskEvent} as a client receives it. It keeps the fields that a newer server adds. */
export const ReceivedEvent = z
  .union([z.discriminatedUnion('type', known as unknown as [(typeof known)[0]]), LaterEvent])
  .meta({ id: 'Event' }) as unknown as z.ZodType<TaskEvent>

/** `task.created` → `TaskCreatedEvent` */
function schemaNameOf(type: EventType): string {
  return `${type.replace(/(?:^|[._])(\w)/g, (_match, letter: string) => letter.toUpperCase())}Event`
}
