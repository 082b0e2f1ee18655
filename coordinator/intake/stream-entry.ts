import { type EventType, NewEvent } from '../../contract/api/event.ts'
import { parseJson } from '../../contract/shared/json.ts'
import { StreamEntry } from '../../contract/wire/river.ts'
import type { Signatures } from '../wire/signatures.ts'

/**
 * An entry that its attempt's runner signed. `event` is null if its body is unusable: the entry then uses up its number but is not stored,
 * so that it does not block later entries.
 */
export type Received = Pick<StreamEntry, 'taskId' | 'attempt' | 'n'> & {
  at: number
  event: NewEvent | null
  fault: string | null
}

/** Events that only the coordinator may emit. */
const OURS: readonly EventType[] = ['task.created', 'message.received', 'message.withdrawn', 'attempt.started', 'task.ended']

/**
 * @param fields the flat list of names and values that Redis returns
 * @returns the entry, or why it was rejected: it is not signed with the attempt's key
 */
export function readEntry(fields: readonly string[], signatures: Signatures): Received | { rejected: string } {
  const named: Record<string, string> = {}
  for (let i = 0; i + 1 < fields.length; i += 2) named[fields[i] ?? ''] = fields[i + 1] ?? ''
  const parsed = StreamEntry.safeParse(named)
  if (!parsed.success) return { rejected: 'malformed' }
  if (!signatures.isEntry(parsed.data)) return { rejected: 'signature' }
  const { taskId, attempt, n, at, body } = parsed.data
  return { taskId, attempt, n, at: Date.parse(at), ...readBody(body) }
}

function readBody(body: string): Pick<Received, 'event' | 'fault'> {
  const json = parseJson(body)
  if (json === undefined) return { event: null, fault: 'not JSON' }
  const parsed = NewEvent.safeParse(json)
  if (!parsed.success) return { event: null, fault: parsed.error.message.slice(0, 500) }
  if (OURS.includes(parsed.data.type)) return { event: null, fault: `${parsed.data.type} is not for a runner to emit` }
  return { event: parsed.data, fault: null }
}
