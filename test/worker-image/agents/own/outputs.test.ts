import { randomBytes } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { LIMITS } from '../../../../contract/api/limits.ts'
import { createStoreOutput } from '../../../../worker-image/agents/own/outputs.ts'
import { readHandsConfig } from '../../../../worker-image/hands/config.ts'
import { createOperations } from '../../../../worker-image/hands/operations.ts'
import { folderForEach } from '../../../support/systems/closing.ts'
import { handsOf } from '../../errand.ts'

describe('what is kept of a large output', () => {
  const folder = folderForEach()

  /** @returns what is kept of an output of these bytes, and its text */
  const keep = async (content: Buffer | string, secrets: string[] = []) => {
    const wholeFile = join(folder.path, '1.log')
    await writeFile(wholeFile, content)
    const kept = new Map<string, Buffer>()
    const storeOutput = createStoreOutput({
      door: { store: async (kind, body) => void kept.set(kind, Buffer.from(body)) },
      hands: handsOf(createOperations(readHandsConfig({}))),
      secrets,
      log: () => undefined,
    })
    const outputBytes = Buffer.byteLength(content)
    await storeOutput('toolu_1', { ok: true, text: 'shown', outputBytes, wholeFile })
    const bytes = kept.get('output.toolu_1') ?? Buffer.alloc(0)
    return { bytes, text: bytes.toString() }
  }
  const lines = (count: number) => Array.from({ length: count }, (_, n) => `line ${n}`).join('\n')

  it('is all of it up to the limit', async () => {
    const whole = lines(300_000)
    expect(whole.length).toBeLessThan(LIMITS.outputBytes)
    expect((await keep(whole)).text).toBe(whole)
  })

  it('is its beginning and, mostly, its end above that, with what is missing in between', async () => {
    const whole = lines(1_500_000)
    const { bytes, text } = await keep(whole)
    expect(bytes.length).toBeLessThanOrEqual(LIMITS.outputBytes)
    expect(bytes.length).toBeGreaterThan(LIMITS.outputBytes * 0.99)
    const [head = '', missing, tail = ''] = text.split(/\n\[… (\d+) bytes elided …\]\n/)
    expect(whole.startsWith(head) && whole.endsWith(tail)).toBe(true)
    expect(head.length + Number(missing) + tail.length).toBe(whole.length)
    expect(tail.length).toBeGreaterThan(head.length * 2)
  })

  it('still ends as it ended when it is no text, of which each byte becomes three', async () => {
    const { bytes, text } = await keep(Buffer.concat([randomBytes(6_000_000), Buffer.from('\nthe end')]))
    expect(bytes.length).toBeLessThanOrEqual(LIMITS.outputBytes)
    expect(text).toMatch(/\n\[… \d+ bytes elided …\]\n/)
    expect(text.endsWith('\nthe end')).toBe(true)
  })

  it('still ends as it ended when secrets were taken out of it that are shorter than the word for them', async () => {
    const { bytes, text } = await keep(`${'key '.repeat(1_300_000)}the end`, ['key'])
    expect(bytes.length).toBeLessThanOrEqual(LIMITS.outputBytes)
    expect(text).not.toContain('key')
    expect(text.endsWith('the end')).toBe(true)
  })
})
