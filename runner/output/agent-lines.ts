import type { NewEvent } from '../../contract/api/event.ts'
import { LIMITS } from '../../contract/api/limits.ts'
import { cutText } from '../../contract/shared/characters.ts'
import { parseJson } from '../../contract/shared/json.ts'
import { stripTerminal } from '../../contract/shared/terminal.ts'
import { AgentLine } from '../../contract/wire/sandbox.ts'
import type { Redactor } from './redact.ts'

/** What `stripTerminal` leaves: other controls (not `\n`, `\t`) and the marks that reorder text for the eye. */
const CONTROLS = /[^\P{Cc}\n\t]/gu
const REORDERING = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g
const MAX_DEPTH = 32

/** @returns the line as it may be believed and shown, or null when it is noise */
export function readAgentLine(line: string | null, redact: Redactor): AgentLine | null {
  const parsed = AgentLine.safeParse(line === null ? undefined : parseJson(line))
  if (!parsed.success) return null
  if (parsed.data.type === 'delta') return { ...parsed.data, text: redact.sameLength(cleanDelta(parsed.data.text)) }
  return presentable(parsed.data, redact)
}

/** Cleans every text of an event and takes the secrets out. Events of the gateway need it too: they quote the sandbox. */
export function presentable<E extends NewEvent>(event: E, redact: Redactor): E {
  const data = mapTexts(event.data, (text) => redact.text(cleanText(text)))
  if (event.type === 'tool.started') boundInput(data as { input: unknown })
  return { ...event, data } as E
}

/** Makes hostile text safe to show: no terminal sequences, no control characters, nothing that reorders. Never longer than before. */
export function cleanText(text: string): string {
  return stripTerminal(text.replace(/\r\n?/g, '\n')).replace(CONTROLS, '').replace(REORDERING, '')
}

/** The same for a delta, whose length must not change: its offset counts the characters before it. */
export function cleanDelta(text: string): string {
  return text.replace(CONTROLS, ' ').replace(REORDERING, ' ')
}

/** The contract's schema bounds every field but `input`, which is any JSON that the model wrote. */
function boundInput(data: { input: unknown }): void {
  const json = JSON.stringify(data.input) ?? 'null'
  if (json.length > LIMITS.toolInputChars) data.input = { cut: cutText(json, LIMITS.toolInputChars / 2) }
}

/** Puts every text in a JSON value through `change`, keys too, and cuts off what nests deeper than any honest value. */
function mapTexts(value: unknown, change: (text: string) => string, depth = 0): unknown {
  if (typeof value === 'string') return change(value)
  if (typeof value !== 'object' || value === null) return value
  if (depth >= MAX_DEPTH) return '[nested too deep]'
  if (Array.isArray(value)) return value.map((item) => mapTexts(item, change, depth + 1))
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [change(key), mapTexts(item, change, depth + 1)]))
}

/** @returns a function that answers true at most `perSecond` times a second, all of a second's in one burst if need be */
export function createAllowance(perSecond: number): () => boolean {
  let left = perSecond
  let countedAt = performance.now()
  return () => {
    const now = performance.now()
    left = Math.min(perSecond, left + ((now - countedAt) / 1_000) * perSecond)
    countedAt = now
    if (left < 1) return false
    left -= 1
    return true
  }
}
