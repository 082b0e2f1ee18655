import assert from 'node:assert/strict'
import test from 'node:test'
import { partOfDay } from '../src/part-of-day.js'

test('the night ends at five', () => {
  assert.equal(partOfDay(4), 'night')
  assert.equal(partOfDay(5), 'morning')
})

test('noon is the first hour of the afternoon', () => {
  assert.equal(partOfDay(11), 'morning')
  assert.equal(partOfDay(12), 'afternoon')
})

test('the evening begins at six', () => {
  assert.equal(partOfDay(17), 'afternoon')
  assert.equal(partOfDay(18), 'evening')
})

test('what is not an hour is refused', () => {
  assert.throws(() => partOfDay(24), RangeError)
})
