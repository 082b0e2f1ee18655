import { deepStrictEqual, strictEqual } from 'node:assert'

/** The part of an event that tells where it stands, and which pair it begins or ends. */
type Placed = { seq: number; attempt: number; type: string; data: object }

/** Throws unless the list is that of a whole, ended turn: every `seq` from 1, pairs that nest, and `task.ended` as the last word. */
export function expectWhole(events: readonly Placed[]): void {
  const seqs = events.map(({ seq }) => seq)
  deepStrictEqual(
    seqs,
    [...seqs.keys()].map((index) => index + 1),
  )
  deepStrictEqual(
    events.slice(0, 2).map(({ type }) => type),
    ['task.created', 'message.received'],
  )
  strictEqual(events.at(-1)?.type, 'task.ended')
  deepStrictEqual(brokenPairs(events), [])
}

/** @returns every start that has no end of its own at the right place, and every end without a start */
export function brokenPairs(events: readonly Placed[]): string[] {
  const open: string[] = []
  const broken: string[] = []
  for (const event of events) {
    const [noun = '', verb] = event.type.split('.')
    if (!['attempt', 'turn', 'tool'].includes(noun)) continue
    const key = keyOf(noun, event)
    if (verb === 'started') open.push(key)
    else if (open.at(-1) === key) open.pop()
    else broken.push(`${event.seq} ${event.type} while open: ${open.join(', ')}`)
  }
  return [...broken, ...open]
}

function keyOf(noun: string, { attempt, data }: Placed): string {
  return `${noun} ${attempt} ${'callId' in data ? String(data.callId) : ''}`
}
