import { z } from 'zod'
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

/** One answer of the model, what came of its calls, in order, and what a person said meanwhile. Without calls it had ended when they spoke. */
export type Step = { calls: Call[]; results: Result[]; said: string[] }
/** What a person said, what was done about it so far, and the answer, if it came to that. */
export type Round = { said: string; steps: Step[]; answer: string | null }

/** How the agent heads what a person said (`worker-image/conversation/prompt.ts`); everything else in a later message is the agent's own. */
const NEXT = /^The next message:\s+/
const STEER = /^A message from the person, sent while you work:\s+/

/** Reads a conversation of the Messages API: a round begins with its first message, and with every next one of the person. */
export function readRounds(messages: readonly Message[]): Round[] {
  const rounds: Round[] = []
  let open: Block[] = []
  for (const { role, content } of messages) {
    const blocks: Block[] = typeof content === 'string' ? [{ type: 'text', text: content }] : content
    const round = rounds.at(-1)
    if (role === 'assistant') {
      open = blocks.filter((block) => block.type === 'tool_use')
      if (round && open.length === 0) round.answer = textsOf(blocks).join('\n')
    } else if (role === 'user' && open.length > 0) {
      round?.steps.push(readStep(open, blocks))
      open = []
      const next = textsOf(blocks).findLast((text) => NEXT.test(text))
      if (next !== undefined) rounds.push(roundOf(next.replace(NEXT, '')))
    } else if (role === 'user') {
      const texts = textsOf(blocks)
      const next = texts.findLast((text) => NEXT.test(text)) ?? (round ? undefined : (texts[0] ?? ''))
      const heard = steersIn(blocks)
      if (next !== undefined) rounds.push(roundOf(next.replace(NEXT, '')))
      else if (round && heard.length > 0) {
        round.steps.push({ calls: [], results: [], said: heard })
        round.answer = null
      }
    }
  }
  return rounds
}

function roundOf(said: string): Round {
  return { said, steps: [], answer: null }
}

function readStep(calls: Block[], blocks: Block[]): Step {
  return {
    calls: calls.map((call) => ({ name: call.name ?? '', input: call.input ?? {} })),
    results: calls.map((call) => {
      const result = blocks.find((block) => block.type === 'tool_result' && block.tool_use_id === call.id)
      return { text: resultText(result?.content), isError: !result || result.is_error === true }
    }),
    said: steersIn(blocks),
  }
}

function steersIn(blocks: readonly Block[]): string[] {
  return textsOf(blocks).flatMap((text) => (STEER.test(text) ? [text.replace(STEER, '')] : []))
}

function resultText(content: unknown): string {
  if (typeof content === 'string') return content
  const blocks = z.array(Block).safeParse(content)
  return blocks.success ? textsOf(blocks.data).join('\n') : ''
}

function textsOf(blocks: readonly Block[]): string[] {
  return blocks.flatMap((block) => block.text ?? [])
}
