import { expect } from '@jest/globals'
import type { TaskEvent } from '../../../contract/api/event.ts'

/** Fails unless the list is that of a whole, ended turn: every `seq` from 1, pairs that nest, and `task.ended` as the last word. */
export function expectWhole(events: readonly TaskEvent[]): void {
  expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index + 1))
  expect(events.slice(0, 2).map(({ type }) => type)).toEqual(['task.created', 'message.received'])
  expect(events.at(-1)?.type).toBe('task.ended')
  expect(brokenPairs(events)).toEqual([])
}

/** Every start that has no end of its own at the right place, and every end without a start. */
function brokenPairs(events: readonly TaskEvent[]): string[] {
  const open: string[] = []
  const broken: string[] = []
  for (const event of events) {
    const [noun, verb] = event.type.split('.')
    if (!['attempt', 'turn', 'tool'].includes(noun ?? '')) continue
    if (verb === 'started') open.push(keyOf(event))
    else if (open.at(-1) === keyOf(event)) open.pop()
    else broken.push(`${event.seq} ${event.type} while open: ${open.join(', ')}`)
  }
  return [...broken, ...open]
}

function keyOf(event: TaskEvent): string {
  const noun = event.type.split('.')[0]
  const call = event.type === 'tool.started' || event.type === 'tool.ended' ? event.data.callId : ''
  return `${noun} ${event.attempt} ${call}`
}
