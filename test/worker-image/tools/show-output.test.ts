import { appendFile, open } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from '@jest/globals'
import { showOutput } from '../../../worker-image/tools/show-output.ts'
import { waitFor } from '../../support/checks/wait.ts'
import { folderForEach } from '../../support/systems/closing.ts'

const folder = folderForEach()

it('a running command shows what it adds: clean, at most two kilobytes at a time, and no character in halves', async () => {
  const path = join(folder.path, '1.log')
  const file = await open(path, 'a+')
  const shown: string[] = []
  const stop = showOutput(file, (text) => shown.push(text), 10)
  const until = (text: string) => waitFor(text, () => shown.join('').includes(text))
  try {
    await appendFile(path, '\u001b[32mone\u001b[0m\n')
    await until('one\n')
    expect(shown).toEqual(['one\n'])
    const wave = Buffer.from('👋')
    await appendFile(path, wave.subarray(0, 2))
    await appendFile(path, wave.subarray(2))
    await until('👋')
    await appendFile(path, `${'é'.repeat(50_000)}!\nend\n`)
    await until('!\nend\n')
    expect(Math.max(...shown.map((text) => Buffer.byteLength(text)))).toBeLessThanOrEqual(2_048)
    expect(shown.join('')).not.toContain('\ufffd')
  } finally {
    stop()
    await file.close()
  }
})
