import { createHash } from 'node:crypto'
import { wellFormed } from '../../contract/shared/characters.ts'
import { type Heading, headed, MISSED, unheaded } from '../../contract/wire/prompt.ts'
import type { ModelMessage } from '../model/model-client.ts'

/** Something that the person said, word for word. */
export type PersonsWords = { heading: Heading; text: string }

/** Everything that a fresh conversation about a task begins with. */
export type Beginning = {
  /** All that the person said so far, in order. */
  words: readonly PersonsWords[]
  /** The place and the repository's notes, as the first message of a task has them. */
  surroundings: readonly string[]
  /** Why it begins anew, in a sentence for the model. */
  why: string
  /** What is known of the work so far; null if nothing is. */
  summary: string | null
  /** What git says about the work tree; null if it was not asked. */
  branchState: string | null
  plan: ReadonlyArray<{ text: string; status: 'open' | 'doing' | 'done' }>
  /** Our own notices that the model has not answered yet. */
  notices?: readonly string[]
}

const MARKS = { open: '[ ]', doing: '[>]', done: '[x]' } as const
const MOST_STEPS = 100
const STEP_CHARS = 500

/**
 * The first user message of a conversation that replaces another one about the same task. The person's words come first and unchanged, each
 * below its heading: whoever compares them with the stored messages finds them all.
 */
export function beginAnew({ words, surroundings, why, summary, branchState, plan, notices = [] }: Beginning): string[] {
  return [
    ...words.map(({ heading, text }) => headed(heading, text)),
    ...surroundings,
    `Errand: ${why} The person's messages above are complete and word for word; you have already begun with them. Go on from where the work stands, do not start over, and read a file again before you rely on what it says.`,
    ...(summary === null ? [] : [`What is known so far:\n<summary>\n${summary}\n</summary>`]),
    ...(branchState === null ? [] : [`The work tree now, as git shows it:\n${branchState}`]),
    ...(plan.length === 0 ? [] : [`Your list of steps:\n${planLines(plan)}`]),
    ...notices,
  ]
}

function planLines(plan: Beginning['plan']): string {
  const lines = plan.slice(0, MOST_STEPS).map(({ text, status }) => `${MARKS[status]} ${text.slice(0, STEP_CHARS)}`)
  return [...lines, ...(plan.length > MOST_STEPS ? [`(and ${plan.length - MOST_STEPS} more)`] : [])].join('\n')
}

/** Pure. @returns what the person said in a conversation, in order; a text of our own or of a tool is never taken for it */
export function wordsIn(messages: readonly ModelMessage[]): PersonsWords[] {
  return userTexts(messages).flatMap((text) => unheaded(text) ?? [])
}

/** Pure. @returns our own texts in the last user message, if the model has not answered it and it is not the first */
export function unansweredNotices(messages: readonly ModelMessage[]): string[] {
  return messages.length < 2 || messages.at(-1)?.role !== 'user'
    ? []
    : userTexts(messages.slice(-1)).filter((text) => unheaded(text) === null)
}

function userTexts(messages: readonly ModelMessage[]): string[] {
  return messages.flatMap(({ role, content }) => {
    if (role !== 'user') return []
    return typeof content === 'string' ? [content] : content.flatMap((block) => (block.type === 'text' ? [block.text] : []))
  })
}

/**
 * Pure. Whether everything that stands in a conversation as the person's words was sent by them. A conversation need not have all that they
 * sent: a message may have come too late for it, or been left out because the model declined.
 * @param said hashes of all that they sent, as in the assignment
 */
export function hasOnlyTrueWords(messages: readonly ModelMessage[], said: readonly string[]): boolean {
  const known = new Set(said)
  const isSaid = (text: string) => known.has(createHash('sha256').update(wellFormed(text)).digest('hex'))
  return wordsIn(messages).every(({ text }) => isSaid(text) || isJoined(text, isSaid))
}

/** A prompt that the coordinator joined with the messages of lost turns: each of them, and the prompt, must be known. */
function isJoined(text: string, isSaid: (text: string) => boolean): boolean {
  const border = `\n\n${MISSED}\n\n1. `
  const at = text.lastIndexOf(border)
  return at >= 0 && isSaid(text.slice(0, at)) && isList(text.slice(at + border.length), 1, isSaid)
}

/** @param rest what follows the number. A message may itself contain what looks like the next number. */
function isList(rest: string, number: number, isSaid: (text: string) => boolean): boolean {
  if (isSaid(rest)) return true
  const next = `\n\n${number + 1}. `
  for (let at = rest.indexOf(next); at >= 0; at = rest.indexOf(next, at + 1))
    if (isSaid(rest.slice(0, at))) return isList(rest.slice(at + next.length), number + 1, isSaid)
  return false
}
