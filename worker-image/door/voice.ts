import type { Writable } from 'node:stream'
import type { EventData } from '../../contract/api/event.ts'
import { LIMITS } from '../../contract/api/limits.ts'
import { lastText } from '../../contract/api/tool-output.ts'
import { cutText, piecesOf } from '../../contract/shared/characters.ts'
import type { AgentEvent, AgentLine } from '../../contract/wire/sandbox.ts'
import { redacted } from '../process/log.ts'
import { shrinkInput } from '../tools/output.ts'

/** The agent's only way out: one JSON line each on standard output, bounded, and without the token. */
export type Voice = {
  emit: (event: AgentEvent) => void
  /** Sends a piece of text as the model writes it. Pieces are collected for a moment, and dropped while nothing reads them. */
  delta: (text: string) => void
  /** Shows the newest output of a running command, at once; dropped while nothing reads it. */
  output: (callId: string, text: string) => void
  /** Discards the text since the last `text.written`: the model starts this part again. */
  discard: () => void
  /** Resolves when everything emitted has left the process. */
  flush: () => Promise<void>
}

/** How long deltas are collected into one line. */
const GATHER_MS = 80

type VoiceOptions = { output: Writable; secrets: readonly string[]; gatherMs?: number }

export function createVoice({ output, secrets, gatherMs = GATHER_MS }: VoiceOptions): Voice {
  let offset = 0
  let gathered = ''
  let timer: NodeJS.Timeout | null = null
  const write = (line: AgentLine) => output.write(`${redacted(JSON.stringify(line), secrets)}\n`)
  const sendDeltas = () => {
    timer = null
    if (output.writableNeedDrain) return wake()
    const unsure = secretBegun(gathered, secrets)
    const ready = cutText(gathered.slice(0, gathered.length - unsure), LIMITS.deltaChars, '')
    if (!ready) return
    write({ type: 'delta', offset, text: redacted(ready, secrets) })
    offset += ready.length
    gathered = gathered.slice(ready.length)
    if (gathered.length > unsure) wake()
  }
  const wake = () => {
    timer ??= setTimeout(sendDeltas, gatherMs)
  }
  let ofCall = ''
  let printed = 0
  const forget = () => {
    if (timer) clearTimeout(timer)
    timer = null
    gathered = ''
    offset = 0
  }
  return {
    emit: (event) => {
      if (event.type === 'text.written') forget()
      for (const line of bounded(event)) write(line)
    },
    delta: (text) => {
      gathered += text
      wake()
    },
    output: (callId, text) => {
      if (callId !== ofCall) printed = 0
      ofCall = callId
      const shown = lastText(text, LIMITS.deltaChars)
      if (!output.writableNeedDrain) write({ type: 'delta', callId: callId.slice(0, 200), offset: printed, text: shown })
      printed += shown.length
    },
    discard: () => {
      forget()
      write({ type: 'delta', offset: 0, text: '' })
    },
    flush: () => new Promise((resolve) => output.write('', () => resolve())),
  }
}

/** @returns the event within the contract's bounds; a text that is too long becomes several events */
function bounded(event: AgentEvent): AgentEvent[] {
  switch (event.type) {
    case 'text.written':
      return texts(event.data)
    case 'note.written':
      return [{ type: 'note.written', data: { text: cutText(event.data.text, LIMITS.noteChars) } }]
    case 'tool.started': {
      const { callId, name, title, input } = event.data
      const data = {
        callId,
        name: cutText(name, 100),
        title: cutText(title, 300),
        input: shrinkInput(input, LIMITS.toolInputChars),
      }
      return [{ type: 'tool.started', data }]
    }
    case 'tool.ended':
      return [{ type: 'tool.ended', data: { ...event.data, output: cutText(event.data.output, LIMITS.toolOutputChars, '') } }]
    case 'turn.ended': {
      const { summary, message } = event.data
      const cut = { summary: cutText(summary, LIMITS.textChars, ''), message: message && cutText(message, 2000) }
      return [{ type: 'turn.ended', data: { ...event.data, ...cut } }]
    }
    default:
      return [event]
  }
}

/** Only the last piece of a text that was cut off ends in the middle. */
function texts({ text, cutOff }: EventData<'text.written'>): AgentEvent[] {
  return piecesOf(text, LIMITS.textChars).map((piece, index, { length }) => ({
    type: 'text.written',
    data: { text: piece, ...(cutOff && index === length - 1 && { cutOff }) },
  }))
}

/** @returns how many characters at the end may be the beginning of a secret */
function secretBegun(text: string, secrets: readonly string[]): number {
  for (let length = Math.min(text.length, Math.max(0, ...secrets.map((secret) => secret.length)) - 1); length > 0; length--)
    if (secrets.some((secret) => secret.length > length && secret.startsWith(text.slice(-length)))) return length
  return 0
}
