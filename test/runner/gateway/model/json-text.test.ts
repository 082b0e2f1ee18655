import { describe, expect, it } from '@jest/globals'
import { findRepeatedKey, isModestJson } from '../../../../runner/gateway/model/json-text.ts'

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

describe('isModestJson', () => {
  const keys = (count: number) => JSON.stringify(Object.fromEntries(Array.from({ length: count }, (_, n) => [`key${n}`, n])))
  const isModest = (json: string) => isModestJson(Buffer.from(json))

  it('refuses one object with more keys than any call has, at any depth, and long before its end', () => {
    expect(isModest(keys(2_000))).toBe(true)
    expect(isModest(keys(2_001))).toBe(false)
    expect(isModest(`{"a":[1,{"b":${keys(190_000)}}]}`)).toBe(false)
    // What takes the time, seconds for such a body, is never reached.
    const body = Buffer.from(keys(190_000))
    const used = (work: () => unknown) => {
      const before = process.cpuUsage()
      work()
      return process.cpuUsage(before).user
    }
    expect(used(() => isModestJson(body))).toBeLessThan(used(() => findRepeatedKey(body.toString())) / 10)
  })

  it('lets long lists, long texts and many small objects pass, and what looks like keys within a text', () => {
    expect(isModest(JSON.stringify(Array.from({ length: 100_000 }, (_, n) => n)))).toBe(true)
    expect(isModest(JSON.stringify({ a: keys(10_000), b: '","'.repeat(100_000) }))).toBe(true)
    expect(isModest(JSON.stringify(Array.from({ length: 1_000 }, () => JSON.parse(keys(50)))))).toBe(true)
  })
})
