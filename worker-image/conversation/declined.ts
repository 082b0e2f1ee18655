import type { ModelMessage } from '../model/model-client.ts'
import { blocksIn } from './fit/sendable.ts'

/**
 * Pure. A conversation without the exchange that the model declined to answer: the last message of the user, and the calls whose results it
 * brought. The calls were run; what they changed is in the work tree.
 */
export function withoutExchange(messages: readonly ModelMessage[]): ModelMessage[] {
  const before = messages.at(-1)?.role === 'user' ? messages.slice(0, -1) : [...messages]
  const asked = before.at(-1)
  const isCall = asked?.role === 'assistant' && blocksIn(asked).some(({ type }) => type === 'tool_use')
  return isCall ? before.slice(0, -1) : before
}

/** Our own words to the model. */
export const DECLINED = {
  exchange:
    'Errand: the model declined to answer what came here, so this exchange was left out of the conversation. What it changed in the repository is still there. Do not repeat it.',
  history:
    'Errand: the model declined to go on with the earlier conversation about this task, so it was left out. Its work is on the branch: see `git log` and `git diff`. Do only what this message asks.',
  beginning:
    "Errand: the model declined to answer an earlier message about this task, so it was left out, and so were the repository's notes for agents. Do only what this message asks.",
} as const

/** For the person. */
export const HISTORY_NOTE =
  'The model declined to go on with the earlier conversation. Your message is tried again in a fresh one, on the same branch.'

const CATEGORIES: Readonly<Record<string, string>> = {
  cyber: 'work that could help to attack computers; harmless security work is sometimes taken for it',
  bio: 'work that could help to cause biological harm; harmless life science is sometimes taken for it',
  frontier_llm: 'help with building a competing AI model; harmless machine learning is sometimes taken for it',
  reasoning_extraction: "a request for the model's inner reasoning",
  general_harms: 'a harmful subject; harmless work is sometimes taken for it',
}

const WAY_OUT =
  'What it declined is out of the conversation, and the work so far is kept. Send a message that leaves that part out or says it differently, or send the task to another model.'

/**
 * Pure. Why the model declined, and what the person can do.
 * @param details `stop_details` of the answer as JSON: a category and perhaps an explanation (docs.claude.com, "Stop reasons")
 */
export function refusalWords(details: string | null): string {
  const category = /"category":"([a-z_]+)"/.exec(details ?? '')?.[1] ?? ''
  const why = CATEGORIES[category]
  return `The model declined to answer${why ? `: it took this for ${why}` : ''}. ${WAY_OUT}`
}
