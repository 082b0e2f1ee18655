import assert from 'node:assert/strict'
import test from 'node:test'
import { greet } from '../src/greet.js'

test('greets in English unless told otherwise', () => {
  assert.equal(greet('Ada', { hour: 9 }), 'Good morning, Ada!')
})

test('greets in German', () => {
  assert.equal(greet('Konrad', { hour: 20, language: 'de' }), 'Guten Abend, Konrad!')
})

test('says which language it does not know', () => {
  assert.throws(() => greet('Ada', { hour: 9, language: 'xx' }), /no greeting in this language: xx/)
})
