import * as z from 'zod'
import { EVENT_DATA, type NewEvent } from '../api/event.ts'
import { LIMITS } from '../api/limits.ts'
import { EFFORTS } from '../shared/models.ts'
import { MODEL_WAIT_MS } from './deadlines.ts'

/** What a sandbox has and may reach, from the settings of its runner, for the model to plan with. */
export const Machine = z.object({
  cpus: z.number().positive(),
  memoryMb: z.number().positive(),
  workspaceMb: z.number().positive(),
  /** On port 443, besides npm's registry: `example.org` alone, or `.example.org` for all below it. */
  allowedHosts: z.array(z.string()).readonly(),
})
export type Machine = z.infer<typeof Machine>

/** What the agent is to do: the answer to `GET /task` behind the door. It contains no secret. */
export const Assignment = z.object({
  taskId: z.string(),
  /** The fencing token: 1, 2, 3… over the whole task, never reused. */
  attempt: z.number().int().positive(),
  turn: z.number().int().positive(),
  prompt: z.string(),
  /** The message that started this turn; null for a task from before messages were stored. */
  messageId: z.string().nullable(),
  /** Whether `GET /transcript` behind the door has the conversation so far. */
  hasTranscript: z.boolean(),
  /** Whether `GET /tail/checkpoint` behind the door has the work tree of an earlier attempt at this turn, whose host was lost. */
  hasCheckpoint: z.boolean().optional(),
  /**
   * SHA-256, in hex, of each text that the person ever sent to this task, halves of surrogate pairs replaced. Nothing else in a kept
   * conversation passes as their words. Absent: from an older coordinator, or there are too many.
   */
  said: z.array(z.string().length(64)).optional(),
  /** The repository's public address, for the model to read. The clone goes through the door. */
  repoUrl: z.string(),
  /** Null: the repository's default branch. */
  baseBranch: z.string().nullable(),
  /** The branch to push; if it already exists, the work continues from it. */
  branch: z.string(),
  model: z.string(),
  /** Null: the model's own. */
  effort: z.enum(EFFORTS).nullable().default(null),
  /** What is left of the task's budget, US dollars. The gateway enforces it; the agent wraps up before it is used up. */
  budgetUsd: z.number().nonnegative(),
  /** Wall clock for the whole attempt, milliseconds. */
  timeLimitMs: z.number().int().positive(),
  /** How long the attempt waits for a model that does not answer, milliseconds. After that it frees its slot. */
  modelWaitMs: z.number().int().positive().default(MODEL_WAIT_MS),
  /** The same until the model has answered once, if this turn or another one had to wait for it: it only looks whether the model is there. */
  firstModelWaitMs: z.number().int().positive().optional(),
  /** The gateway adds it; the coordinator does not know it. */
  machine: Machine.optional(),
})
export type Assignment = z.infer<typeof Assignment>

/** The money of the attempt, US dollars: the answer to `GET /money` behind the door. The limit may rise while the turn runs. */
export const Money = z.object({
  limitUsd: z.number().nonnegative(),
  spentUsd: z.number().nonnegative(),
  /** Held for calls that have not ended. */
  heldUsd: z.number().nonnegative(),
})
export type Money = z.infer<typeof Money>

/** A message to the running turn, as the agent gets it from `GET /messages` behind the door between two tools. */
export const SteerMessage = z.object({ messageId: z.string(), text: z.string().max(LIMITS.promptChars) })
export type SteerMessage = z.infer<typeof SteerMessage>

/** The event types that the agent may emit. Every other event comes from the process that knows it first-hand. */
export const AGENT_EVENTS = [
  'sandbox.ready',
  'repo.cloned',
  'turn.started',
  'text.written',
  'note.written',
  'tool.started',
  'tool.ended',
  'model.waiting',
  'model.resumed',
  'context.compacted',
  'checkpoint.saved',
  'turn.ended',
] as const
export type AgentEventType = (typeof AGENT_EVENTS)[number]
export type AgentEvent = Extract<NewEvent, { type: AgentEventType }>

/** A delta as the agent emits it; the runner adds task and attempt. `callId`: the newest output of that running call. */
export const AgentDelta = z.object({
  type: z.literal('delta'),
  callId: z.string().max(200).optional(),
  offset: z.number().int().nonnegative(),
  text: z.string().max(LIMITS.deltaChars),
})
export type AgentDelta = z.infer<typeof AgentDelta>

export type AgentLine = AgentEvent | AgentDelta

const members = AGENT_EVENTS.map((type) => z.object({ type: z.literal(type), data: EVENT_DATA[type] }))

/** One line of the agent's standard output. Hostile input: parse it, bound it, clean it, and believe nothing beyond that. */
export const AgentLine = z.discriminatedUnion('type', [AgentDelta, ...members] as unknown as [
  typeof AgentDelta,
]) as unknown as z.ZodType<AgentLine>

/**
 * What outlives an attempt. `patch`: what the pushed branch changes against the base branch; `turn-patch`: what the turn changed. The runner
 * makes both from what is on the git host. `unpushed-patch` and `unpushed-turn-patch`: the same by the agent's own account, of work that was
 * not pushed; `bundle`: that work as a git bundle; `transcript`: the conversation as the model saw it, for the next turn to continue;
 * `output.<call id>`: the whole output of a tool call; its event has only a part; `journal`: the conversation while its turn runs, for another
 * host to continue if this one is lost; `checkpoint`: the work tree likewise, as a git bundle.
 */
export const ArtifactKind = z.union([
  z.enum(['patch', 'turn-patch', 'unpushed-patch', 'unpushed-turn-patch', 'bundle', 'transcript', 'journal', 'checkpoint']),
  z.templateLiteral(['output.', z.string().regex(/^[A-Za-z0-9_-]{1,100}$/)]),
])
export type ArtifactKind = z.infer<typeof ArtifactKind>

/** What only the runner may store: a sandbox must not be able to show a person another change than the one that it pushed. */
export const MADE_OUTSIDE: readonly ArtifactKind[] = ['patch', 'turn-patch']
/** What a sandbox may store only in an attempt that pushed nothing. */
export const OF_UNPUSHED_WORK: readonly ArtifactKind[] = ['unpushed-patch', 'unpushed-turn-patch']

/** @returns whether it is the output of a tool, which people only look at, and not the work itself */
export function isOutput(kind: ArtifactKind): boolean {
  return kind.startsWith('output.')
}

/** What a conversation is continued from: the newest attempt's, and the first of these that it stored. */
export const CONVERSATION = ['transcript', 'journal'] as const satisfies readonly ArtifactKind[]

/** What leaves the host while the turn runs, at the door's path `DOOR_PATHS.tail`, and is gone when the turn has ended by itself. */
export const TAIL_KINDS: readonly ArtifactKind[] = ['journal', 'checkpoint']

/**
 * Of a request that brings only the end of an artifact: it goes behind the first `from` bytes of what is stored already, and those have this
 * SHA-256, in hex. If they have not, nothing is changed: send the whole.
 */
export const Behind = z.object({ from: z.coerce.number().int().nonnegative(), hash: z.string().regex(/^[0-9a-f]{64}$/) })
export type Behind = z.infer<typeof Behind>

/** Pure. The most bytes of an artifact, for the gateway that passes it on and the coordinator that stores it. */
export function maxBytesOf(kind: ArtifactKind): number {
  if (MADE_OUTSIDE.includes(kind) || OF_UNPUSHED_WORK.includes(kind)) return LIMITS.patchBytes
  if (kind === 'transcript' || kind === 'journal') return LIMITS.transcriptBytes
  if (kind === 'checkpoint') return LIMITS.checkpointBytes
  return isOutput(kind) ? LIMITS.outputBytes : LIMITS.artifactBytes
}

/** Exit codes of the agent's process: they distinguish a reported end from a crash, and from a runner that is gone. `sandbox.sh` knows the last. */
export const EXIT = { reported: 0, crashed: 70, orphaned: 71 } as const
