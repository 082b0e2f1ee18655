import { completed, type End, endOf, failed } from '../../../contract/wire/end.ts'
import type { Conversation } from '../../conversation/conversation.ts'
import { refusalWords } from '../../conversation/declined.ts'
import { gateMessage, NOTICES } from '../../conversation/prompt.ts'
import { withQuestion } from '../../conversation/transcript.ts'
import type { LeaseState } from '../../door/door.ts'
import { type AskResult, askModel, type ModelTiming } from '../../model/ask-model.ts'
import type { Answer } from '../../model/model-answer.ts'
import type { ModelClient } from '../../model/model-client.ts'
import type { ModelWaiting } from '../../model/model-waits.ts'
import type { AgentResult, TouchedFiles } from '../agent-driver.ts'
import { type Context, createContext } from './context.ts'
import { keepCutAnswer } from './cut-answer.ts'
import type { Gates } from './gates.ts'
import type { Inbox } from './inbox.ts'
import { createLimits, type LimitParts, type Limits } from './limits.ts'
import type { Repairs } from './repairs.ts'
import { type CallParts, isCutOff, runCalls, WINDOW_FULL } from './run-calls.ts'
import { type CallRecord, judgeProgress, STUCK_NOTICE } from './stuck.ts'

export type LoopOptions = CallParts &
  LimitParts & {
    client: ModelClient
    conversation: Conversation
    gates: Gates
    /** Awaited before tools run, and told when they have: files may have changed. */
    checkpoints: { rest: () => Promise<void>; worked: () => void }
    inbox: Inbox
    /** Waits while the coordinator is away. */
    awaitLease: () => Promise<LeaseState>
    waiting: ModelWaiting
    repairs: Repairs
    timing: ModelTiming
    model: string
    /** What git says about the work tree, for a conversation that begins anew. */
    branchState: () => Promise<string>
  }

/** How many times in a row a model that stopped early is told to continue. */
const MAX_CONTINUATIONS = 3
const MAX_GATE_ROUNDS = 3

/** What the loop remembers from one step to the next. */
type Progress = {
  /** Model calls so far. */
  steps: number
  calls: CallRecord[]
  summary: string
  continuations: number
  gateRounds: number
  context: Context
  limits: Limits
}

/** Asks the model, runs its tools, and asks again, until the model is done or reaches a limit. */
export async function runLoop(options: LoopOptions): Promise<AgentResult> {
  const limits = createLimits(options)
  const context = createContext({
    ...options,
    plan: options.tools.todos,
    askAside: (question, maxTokens) => ask(options, { question, maxTokens }),
    onFresh: limits.forget,
  })
  const progress: Progress = { steps: 0, calls: [], summary: '', continuations: 0, gateRounds: 0, context, limits }
  for (;;) {
    const end = await takeStep(options, progress)
    if (end) return { end, summary: progress.summary, touched: touchedIn(options) }
  }
}

function touchedIn({ touched }: LoopOptions): TouchedFiles {
  return { written: touched.written(), untested: touched.untested() }
}

/** One model call and its consequences. @returns null if the loop continues */
async function takeStep(options: LoopOptions, progress: Progress): Promise<End | null> {
  const { conversation, voice } = options
  const { context, limits } = progress
  // First: a summary costs, and the limits decide with what is left after it.
  const noRoom = await context.makeRoom()
  if (noRoom) return noRoom
  const next = await limits.before(progress.steps)
  if ('outcome' in next) return next
  progress.steps += 1
  const asked = await ask(options)
  if (!asked.ok) {
    progress.summary = (await keepCutAnswer(options, asked.cut ?? '', asked.end)) ?? progress.summary
    return asked.end.reason === 'context_exceeded' ? context.overflowed() : asked.end
  }
  const { text, stopReason, stopDetails } = asked.answer
  if (text.trim()) {
    progress.summary = text
    voice.emit({ type: 'text.written', data: { text } })
  }
  if (stopReason === 'refusal')
    return (await options.repairs.declined()) ? null : failed('model_refused', refusalWords(stopDetails))
  const answer = await conversation.addAnswer(asked.answer)
  context.answered(answer)
  if (next.isLast) return limits.afterLast(answer, next.end)
  const end = await (answer.calls.length > 0 ? afterCalls(options, progress, answer) : afterWords(options, progress, answer))
  // The same conversation once more would be refused.
  return end === null && answer.stopReason === WINDOW_FULL ? context.overflowed() : end
}

/** @param aside a question beside the work: neither the conversation nor the person gets to see it or its answer */
async function ask(
  { client, conversation, budget, voice, signal, timing, awaitLease, waiting, repairs, log }: LoopOptions,
  aside: { question: string; maxTokens: number } | null = null,
): Promise<AskResult> {
  const asked = await askModel({
    client,
    request: () => {
      const plan = budget.plan(conversation.size())
      // The last call that fits is for the last words.
      return plan === null || (aside && plan.isLast)
        ? failed('budget_exceeded', 'The budget does not allow another try.')
        : aside
          ? withQuestion(conversation.request(Math.min(plan.maxTokens, aside.maxTokens)), aside.question)
          : conversation.request(plan.maxTokens)
    },
    signal,
    timing: { ...timing, parkAfterMs: waiting.parkAfterMs() },
    onText: aside ? () => {} : voice.delta,
    onDiscard: aside ? () => {} : voice.discard,
    onUsage: budget.charge,
    // A question aside that is refused has an answer already: an extract takes its place.
    repair: aside ? async () => false : repairs.repair,
    awaitLease,
    ...waiting,
    log,
  })
  if (asked.ok) repairs.accepted()
  return asked
}

async function afterCalls(options: LoopOptions, progress: Progress, answer: Answer): Promise<End | null> {
  const { inbox, signal } = options
  await options.checkpoints.rest()
  const { results, records } = await runCalls(options, answer)
  options.checkpoints.worked()
  progress.calls.push(...records)
  progress.continuations = isCutOff(answer) ? progress.continuations + 1 : 0
  const verdict = judgeProgress(progress.calls)
  const end = signal.aborted
    ? endOf(signal)
    : verdict === 'stuck'
      ? failed('stuck', 'The same calls came with the same results again and again.')
      : progress.continuations > MAX_CONTINUATIONS
        ? cutTooOften
        : null
  const notices = verdict === 'nudge' && !end ? [STUCK_NOTICE] : []
  await reply(options, progress, { results, notices, steer: end ? [] : await inbox.read() })
  return end
}

/** Handles an answer without calls: the model was cut off, or it is done unless the person or a gate has a message for it. */
async function afterWords(options: LoopOptions, progress: Progress, answer: Answer): Promise<End | null> {
  const next = nextAfter(answer)
  if ('end' in next) return next.end
  if (next.notice !== null) {
    progress.continuations += 1
    if (progress.continuations > MAX_CONTINUATIONS) return isCutOff(answer) ? cutTooOften : wentSilent
    // The API continues a paused answer by itself if it gets it back unchanged.
    if (next.notice !== '') await reply(options, progress, { notices: [next.notice] })
    return null
  }
  const steer = await options.inbox.read()
  if (steer.length > 0) {
    progress.continuations = 0
    progress.gateRounds = 0
    await reply(options, progress, { steer })
    return null
  }
  const problems = progress.gateRounds < MAX_GATE_ROUNDS ? await options.gates(answer.text) : []
  if (problems.length === 0) return completed('done')
  progress.gateRounds += 1
  progress.continuations = 0
  await reply(options, progress, { notices: [gateMessage(problems)] })
  return null
}

type Reply = Omit<Parameters<Conversation['addUser']>[0], 'results'> &
  Partial<Pick<Parameters<Conversation['addUser']>[0], 'results'>>

async function reply(options: LoopOptions, progress: Progress, { results = [], steer = [], notices = [] }: Reply): Promise<void> {
  await options.conversation.addUser({ results, steer, notices })
  await progress.context.warn()
}

const cutTooOften = failed('stuck', 'The output was cut at its limit several times in a row.')
const wentSilent = failed('stuck', 'The model stopped several times in a row without a word or a call.')

/**
 * Pure. What each way to stop means: docs.claude.com, "Stop reasons".
 * @returns what follows an answer without calls: an end, a notice for the model (empty: send only the answer back), or null if it is done
 */
function nextAfter(answer: Answer): { end: End } | { notice: string | null } {
  switch (answer.stopReason) {
    case 'end_turn':
    case 'stop_sequence':
      return { notice: answer.text.trim() ? null : NOTICES.emptyAnswer }
    case 'tool_use':
      return { notice: NOTICES.noCall }
    case 'max_tokens':
    case WINDOW_FULL:
      return { notice: NOTICES.cutText }
    case 'pause_turn':
      return { notice: '' }
    default:
      return { end: failed('protocol_error', `The model stopped for an unknown reason: ${answer.stopReason}.`) }
  }
}
