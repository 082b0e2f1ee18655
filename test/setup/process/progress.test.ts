import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, it, jest } from '@jest/globals'
import { runShown } from '../../../setup/process/progress.mjs'
import { temporaryFolder } from '../../support/systems/temporary.ts'

const log = jest.spyOn(console, 'log')
afterEach(() => {
  log.mockReset()
})

/** Ends when the file that it is given is there. */
const SLOW = `console.log('one'); console.error('two')
setInterval(() => require('node:fs').existsSync(process.argv[1]) && process.exit(3), 10)`

describe('a long step', () => {
  it('shows that it lives and what it is at, and keeps its words', async () => {
    const folder = await temporaryFolder()
    const file = join(folder.path, 'was-shown')
    log.mockImplementation((line: string) => {
      if (/^ {2}… \d+ s: at (one|two)$/.test(line)) writeFileSync(file, '')
    })
    const answer = await runShown(process.execPath, ['-e', SLOW, file], { everyMs: 20, detail: (line) => `at ${line}` })
    await folder.remove()
    expect(answer.status).toBe(3)
    expect(answer.stdout).toEqual(['one'])
    expect([...answer.lines].sort()).toEqual(['one', 'two'])
  })

  it('that cannot begin says why', async () => {
    const answer = await runShown('/no/such/program', [])
    expect(answer.status).toBeNull()
    expect(answer.lines.join()).toContain('ENOENT')
  })
})
