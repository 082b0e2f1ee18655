import type { NewEvent } from '../../contract/api/event.ts'
import { LIMITS } from '../../contract/api/limits.ts'
import { parseJson } from '../../contract/shared/json.ts'
import { AgentLine } from '../../contract/wire/sandbox.ts'
import { cleanDelta, cleanText, mapTexts } from './clean.ts'
import type { Redactor } from './redact.ts'

/** @returns the line as it may be believed and shown, or null when it is noise */
export function readAgentLine(line: string | null, redact: Redactor): AgentLine | null {
  const parsed = AgentLine.safeParse(line === null ? undefined : parseJson(line))
  if (!parsed.success) return null
  if (parsed.data.type === 'delta') return { ...parsed.data, text: redact.sameLength(cleanDelta(parsed.data.text)) }
  return presentable(parsed.data, redact)
}

/** Every text of an event cleaned and without secrets, whoever says it: what a gateway reports has words of the sandbox in it too. */
export function presentable<E extends NewEvent>(event: E, redact: Redactor): E {
  const data = mapTexts(event.data, (text) => redact.text(cleanText(text)))
  if (event.type === 'tool.started') boundInput(data as { input: unknown })
  return { ...event, data } as E
}

/** `input` is whatever the model wrote, so the contract's schema bounds everything but this. */
function boundInput(data: { input: unknown }): void {
  const json = JSON.stringify(data.input) ?? 'null'
  if (json.length > LIMITS.toolInputChars) data.input = { cut: json.slice(0, LIMITS.toolInputChars / 2) }
}
