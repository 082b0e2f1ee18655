/** The part of an event that tells which pair it begins or ends. */
export type Pair = { seq: number; attempt: number; type: string; data: object }

/** What is started, and ended once. */
const NOUNS = new Set(['attempt', 'turn', 'tool'])

/** @returns every start that has no end of its own at the right place, and every end without a start */
export function brokenPairs(events: readonly Pair[]): string[] {
  const open: string[] = []
  const broken: string[] = []
  for (const event of events) {
    const [noun = '', verb = ''] = event.type.split('.')
    if (!NOUNS.has(noun)) continue
    if (verb === 'started') open.push(keyOf(event, noun))
    else if (open.at(-1) === keyOf(event, noun)) open.pop()
    else broken.push(`${event.seq} ${event.type} while open: ${open.join(', ')}`)
  }
  return [...broken, ...open]
}

function keyOf({ attempt, data }: Pair, noun: string): string {
  const call = 'callId' in data ? String(data.callId) : ''
  return `${noun} ${attempt} ${call}`
}
