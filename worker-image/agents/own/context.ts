import { LIMITS } from '../../../contract/api/limits.ts'
import { type End, failed } from '../../../contract/wire/end.ts'
import { contextLimits, createContextGauge } from '../../conversation/context-size.ts'
import type { Conversation } from '../../conversation/conversation.ts'
import { extractOf } from '../../conversation/extract.ts'
import { NOTICES, SUMMARY_REQUEST } from '../../conversation/prompt.ts'
import type { Voice } from '../../door/voice.ts'
import type { AskResult } from '../../model/ask-model.ts'
import type { Answer } from '../../model/model-answer.ts'
import type { Log } from '../../process/log.ts'
import { bounded } from '../../tools/output.ts'
import type { TodoItem } from '../../tools/todo.ts'
import { WINDOW_FULL } from './run-calls.ts'

/** Keeps the conversation within what the model can read: it warns, summarises, and begins a fresh one. */
export type Context = {
  /** The API counted the conversation with the answer that was just added. */
  answered: (answer: Pick<Answer, 'usage' | 'stopReason'>) => void
  /** Adds the warning to the last user message if the summary is near and the model has not heard it. */
  warn: () => Promise<void>
  /** Summarises when it is time. @returns how the turn ends if it cannot go on */
  makeRoom: () => Promise<End | null>
  /** The API refused the conversation as too long, or the answer filled the window. @returns as {@link makeRoom} */
  overflowed: () => Promise<End | null>
}

export type ContextParts = {
  model: string
  conversation: Conversation
  voice: Voice
  log: Log
  /** Asks the model one thing within the conversation, which does not remember it. */
  askAside: (question: string, maxTokens: number) => Promise<AskResult>
  branchState: () => Promise<string>
  plan: () => readonly TodoItem[]
  /** A fresh conversation began: notices that the model had answered are gone with the old one. */
  onFresh: () => void
}

/** More would mean that the summaries do not help. */
const MAX_COMPACTIONS = 20
const SUMMARY_TOKENS = 12_000
const SUMMARY_CHARS = 48_000
/** With images a conversation can become too large to send and to store, although the model could read it. */
const MOST_BYTES = LIMITS.transcriptBytes / 2
/** The model can answer no such request, but perhaps a shorter one. After every other end of a call, the conversation stays. */
const SHORTER_MAY_HELP = ['context_exceeded', 'budget_exceeded', 'model_request_invalid', 'model_refused', 'protocol_error']

const WHY = {
  summary: 'this conversation became long, and your own summary replaces it.',
  extract: 'this conversation became too long for the model, and an extract replaces it.',
} as const

export function createContext(parts: ContextParts): Context {
  const { model, conversation, voice, log } = parts
  const limits = contextLimits(model)
  const gauge = createContextGauge(model)
  const size = () => gauge.tokens(conversation.size())
  let warning: 'none' | 'given' | 'answered' = 'none'
  let compactions = 0
  /** Whether the conversation was cut to an extract since the last answer that had room. */
  let isExtract = false

  const replaceBy = async (summary: string | null): Promise<End | null> => {
    const beforeTokens = size()
    const [why, known] = summary === null ? [WHY.extract, extractOf(conversation.messages())] : [WHY.summary, summary]
    await conversation.beginAnew({ why, summary: known, branchState: await parts.branchState(), plan: parts.plan() })
    parts.onFresh()
    gauge.reset()
    warning = 'none'
    compactions += 1
    isExtract = summary === null
    const afterTokens = size()
    log('context.compacted', { beforeTokens, afterTokens, bySummary: summary !== null })
    voice.emit({ type: 'context.compacted', data: { beforeTokens, afterTokens, bySummary: summary !== null } })
    return afterTokens > limits.compactAt / 2 ? failed('context_exceeded', TOO_MANY_WORDS) : null
  }

  return {
    answered: ({ usage, stopReason }) => {
      gauge.counted(usage, conversation.size())
      isExtract &&= stopReason === WINDOW_FULL
      if (warning === 'given') warning = 'answered'
    },
    warn: async () => {
      if (warning !== 'none' || size() < limits.warnAt) return
      warning = 'given'
      await conversation.addUser({ results: [], notices: [NOTICES.summarySoon] })
    },
    makeRoom: async () => {
      const tokens = size()
      const { bytes, imageBytes } = conversation.size()
      const isFull = tokens >= limits.fullAt || bytes + imageBytes >= MOST_BYTES
      if (!isFull && (tokens < limits.compactAt || warning !== 'answered' || compactions >= MAX_COMPACTIONS)) return null
      if (compactions >= MAX_COMPACTIONS) return failed('context_exceeded', TOO_OFTEN)
      const asked = await parts.askAside(SUMMARY_REQUEST, SUMMARY_TOKENS)
      // What is left is kept for the last words, and they need the whole conversation.
      if (!asked.ok && asked.end.reason === 'budget_exceeded' && !isFull) return null
      if (!asked.ok && !SHORTER_MAY_HELP.includes(asked.end.reason)) return asked.end
      if (!asked.ok) log('summary.failed', { reason: asked.end.reason, message: asked.end.message })
      const summary = asked.ok && asked.answer.stopReason !== 'refusal' ? asked.answer.text.trim() : ''
      return replaceBy(summary === '' ? null : bounded(summary, SUMMARY_CHARS))
    },
    overflowed: async () => {
      if (isExtract) return failed('context_exceeded', STILL_TOO_LONG)
      return compactions >= MAX_COMPACTIONS ? failed('context_exceeded', TOO_OFTEN) : replaceBy(null)
    },
  }
}

const TOO_MANY_WORDS =
  'The messages of this task alone fill more than half of what the model can read, so a summary of the rest does not help.'
const STILL_TOO_LONG = "Even the task's messages with a short extract of the work are too long for the model."
const TOO_OFTEN = `The conversation was summarised ${MAX_COMPACTIONS} times in this turn, and is too long again.`
