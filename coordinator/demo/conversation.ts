import * as z from 'zod'
import { type Heading, unheaded } from '../../contract/wire/prompt.ts'
import type { Call, Result } from './script.ts'

const Block = z.looseObject({
  type: z.string(),
  text: z.string().optional(),
  id: z.string().optional(),
  name: z.string().optional(),
  input: z.record(z.string(), z.unknown()).optional(),
  tool_use_id: z.string().optional(),
  is_error: z.boolean().nullish(),
  content: z.unknown().optional(),
})
type Block = z.infer<typeof Block>

export const Message = z.object({
  role: z.enum(['user', 'assistant', 'system']),
  content: z.union([z.string(), z.array(Block)]),
})
export type Message = z.infer<typeof Message>

/** One answer of the model: its calls and their results, in order, and the messages that the person sent meanwhile. */
export type Step = { calls: Call[]; results: Result[]; heard: string[] }
/** A message of the person, the work on it so far, and the final answer, if there is one. */
export type Round = { message: string; steps: Step[]; answer: string | null }

/** Reads a conversation of the Messages API. A round begins with each message of the person that is not sent in the middle of the work. */
export function readRounds(messages: readonly Message[]): Round[] {
  const rounds: Round[] = []
  let open: Block[] = []
  for (const { role, content } of messages) {
    const blocks: Block[] = typeof content === 'string' ? [{ type: 'text', text: content }] : content
    const round = rounds.at(-1)
    if (role === 'assistant') {
      open = blocks.filter((block) => block.type === 'tool_use')
      if (round && open.length === 0) round.answer = textsOf(blocks).join('\n')
    } else if (role === 'user') {
      const isFirst = !round && open.length === 0
      const next = nextIn(blocks) ?? (isFirst ? taskIn(blocks) : undefined)
      if (open.length > 0) round?.steps.push(readStep(open, blocks))
      if (next !== undefined) rounds.push({ message: next, steps: [], answer: null })
      else if (round && open.length === 0) hearAfterAnswer(round, blocks)
      open = []
    }
  }
  return rounds
}

/** A message that came after the answer opens the round again. */
function hearAfterAnswer(round: Round, blocks: readonly Block[]): void {
  const heard = steersIn(blocks)
  if (heard.length === 0) return
  round.steps.push({ calls: [], results: [], heard })
  round.answer = null
}

function readStep(calls: Block[], blocks: Block[]): Step {
  return {
    calls: calls.map((call) => ({ name: call.name ?? '', input: call.input ?? {} })),
    results: calls.map((call) => {
      const result = blocks.find((block) => block.type === 'tool_result' && block.tool_use_id === call.id)
      return { text: resultText(result?.content), isError: !result || result.is_error === true }
    }),
    heard: steersIn(blocks),
  }
}

function taskIn(blocks: readonly Block[]): string {
  const [first = ''] = textsOf(blocks)
  return unheaded(first)?.text ?? first
}

/** The newest message that begins a turn: an interrupted turn may have left one without an answer. */
function nextIn(blocks: readonly Block[]): string | undefined {
  return headedIn(blocks, 'next').at(-1)
}

function steersIn(blocks: readonly Block[]): string[] {
  return headedIn(blocks, 'steer')
}

function headedIn(blocks: readonly Block[], heading: Heading): string[] {
  return textsOf(blocks).flatMap((text) => {
    const found = unheaded(text)
    return found?.heading === heading ? [found.text] : []
  })
}

function resultText(content: unknown): string {
  if (typeof content === 'string') return content
  const blocks = z.array(Block).safeParse(content)
  return blocks.success ? textsOf(blocks.data).join('\n') : ''
}

function textsOf(blocks: readonly Block[]): string[] {
  return blocks.flatMap((block) => block.text ?? [])
}
