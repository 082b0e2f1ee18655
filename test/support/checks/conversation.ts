import type { TaskEvent } from '../../../contract/api/event.ts'
import { unheaded } from '../../../contract/wire/prompt.ts'
import type { SeenRequest } from '../outside/model-server.ts'

/** Something in a conversation: `said` by the person, `wrote` and `ran` by the agent, `got` from a tool. */
export type Line = { who: 'said' | 'wrote' | 'ran' | 'got'; text: string }

/** The conversation as the model was sent it. */
export function seenByModel({ body }: SeenRequest): Line[] {
  return body.messages.flatMap(({ role, content }) =>
    content.flatMap((block): Line[] => {
      if (block.type === 'tool_use') return [{ who: 'ran', text: commandOf(block.input) }]
      if (block.type === 'tool_result') return [{ who: 'got', text: ranText(textOf(block.content)) }]
      if (block.type !== 'text') return []
      if (role === 'assistant') return [{ who: 'wrote', text: String(block.text) }]
      const fromPerson = unheaded(String(block.text))
      return fromPerson ? [{ who: 'said', text: fromPerson.text }] : []
    }),
  )
}

/**
 * The same conversation as the events tell it to the person. What an attempt did that was interrupted is left out: the person is told so,
 * and the next attempt does it anew.
 */
export function seenByPerson(events: readonly TaskEvent[]): Line[] {
  const texts = new Map<string, string>()
  const interrupted = new Set(
    events.flatMap((event) => (event.type === 'attempt.ended' && event.data.outcome === 'interrupted' ? [event.attempt] : [])),
  )
  return events.flatMap((event): Line[] => {
    if (interrupted.has(event.attempt) && event.type !== 'message.delivered') return []
    switch (event.type) {
      case 'message.received':
        texts.set(event.data.messageId, event.data.text)
        return event.data.mode === null ? [{ who: 'said', text: event.data.text }] : []
      case 'message.delivered':
        return [{ who: 'said', text: texts.get(event.data.messageId) ?? '' }]
      case 'text.written':
        return [{ who: 'wrote', text: event.data.text }]
      case 'tool.started':
        return [{ who: 'ran', text: commandOf(event.data.input) }]
      case 'tool.ended':
        return [{ who: 'got', text: `exit ${event.data.exitCode}\n${event.data.output}` }]
      default:
        return []
    }
  })
}

export function saidIn(lines: readonly Line[]): string[] {
  return lines.flatMap(({ who, text }) => (who === 'said' ? [text] : []))
}

/** What the agent wrote, ran and got. */
export function workIn(lines: readonly Line[]): Line[] {
  return lines.filter(({ who }) => who !== 'said')
}

/** The model has exit code and time in a heading above the output; people have them as fields beside it. */
function ranText(text: string): string {
  const [, exitCode, output] = /^exit_code: (\d+)\nwall_time: [\d.]+ s\n(.*)$/s.exec(text) ?? []
  if (output === undefined) return text
  return `exit ${exitCode}\n${output === '(no output)' ? '' : output}`
}

function commandOf(input: unknown): string {
  return String((input as { command?: unknown }).command)
}

function textOf(content: unknown): string {
  return typeof content === 'string' ? content : (content as { text?: string }[]).map(({ text }) => text ?? '').join('\n')
}
