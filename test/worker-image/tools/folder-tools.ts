import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { afterEach, beforeEach } from '@jest/globals'
import { createTools, type Tools } from '../../../worker-image/tools/index.ts'
import { type TemporaryFolder, temporaryFolder } from '../../support/systems/temporary.ts'

const never = new AbortController().signal

/** The tools in a folder of their own, for each test of a file. */
export function toolsForEach() {
  let folder: TemporaryFolder
  let tools: Tools
  beforeEach(async () => {
    folder = await temporaryFolder()
    const environment = { PATH: process.env.PATH ?? '' }
    const scratch = join(folder.path, 'scratch')
    tools = createTools({ directory: folder.path, scratch, environment, run: randomUUID(), graceMs: 300 })
  })
  afterEach(async () => {
    await tools.stop()
    await folder.remove()
  })
  const run = (name: string, input: unknown, signal = never, onOutput?: (text: string) => void) =>
    tools.run(name, input, signal, onOutput)
  return {
    run,
    bash: (command: string, more: object = {}) => run('bash', { command, ...more }),
    inFolder: (name = '') => join(folder.path, name),
    tools: () => tools,
  }
}
