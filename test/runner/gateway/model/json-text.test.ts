import { describe, expect, it } from '@jest/globals'
import { findRepeatedKey } from '../../../../runner/gateway/model/json-text.ts'

describe('findRepeatedKey', () => {
  it.each([
    ['{"a":1,"a":2}', 'a'],
    ['{"a":1,"\\u0061":2}', 'a'],
    ['{"x":[{"b":{}},{"c":1,"d":"e","c":2}]}', 'c'],
    ['{"":1,"":2}', ''],
    ['{"a\\"b":1,"a\\"b":2}', 'a"b'],
    ['{"a":{"b":1},"a":[]}', 'a'],
    ['{"__proto__":1,"__proto__":2}', '__proto__'],
  ])('finds it in %s', (json, key) => {
    expect(() => JSON.parse(json)).not.toThrow()
    expect(findRepeatedKey(json)).toBe(key)
  })

  it.each([
    '{"a":1,"b":{"a":2},"c":[{"a":3},{"a":4}]}',
    '["a","a",{"a":"a"}]',
    '{"a":"{\\"b\\":1,\\"b\\":2}","b":", \\\\","c":"\\\\\\""}',
    '"a"',
    '{ "a" : [ "x" , "x" ] , "x" : "a" }',
  ])('finds none in %s', (json) => {
    expect(() => JSON.parse(json)).not.toThrow()
    expect(findRepeatedKey(json)).toBeNull()
  })

  it('reads a conversation of some megabytes, and one nested without end', () => {
    expect(findRepeatedKey(JSON.stringify({ a: '\\"\n'.repeat(1_000_000), b: 'x'.repeat(5_000_000) }))).toBeNull()
    expect(findRepeatedKey(`${'[{"a":'.repeat(200_000)}1${'}]'.repeat(200_000)}`)).toBeNull()
  })
})
