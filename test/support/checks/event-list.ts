import { expect } from '@jest/globals'
import type { TaskEvent } from '../../../contract/api/event.ts'
import { brokenPairs } from './pairs.ts'

/** Fails unless the list is that of a whole, ended turn: every `seq` from 1, pairs that nest, and `task.ended` as the last word. */
export function expectWhole(events: readonly TaskEvent[]): void {
  expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index + 1))
  expect(events.slice(0, 2).map(({ type }) => type)).toEqual(['task.created', 'message.received'])
  expect(events.at(-1)?.type).toBe('task.ended')
  expect(brokenPairs(events)).toEqual([])
}
