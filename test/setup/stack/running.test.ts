import { stat } from 'node:fs/promises'
import { afterAll, describe, expect, it } from '@jest/globals'
import { readServerFile, serverFilePath, writeServerFile } from '../../../setup/stack/running.ts'
import { temporaryFolder } from '../../support/systems/temporary.ts'

const folder = await temporaryFolder()
afterAll(() => folder.remove())

describe('server.json', () => {
  const content = { url: 'http://127.0.0.1:3000', token: 'owner', pids: { start: 10, coordinator: 11, runner: 12, redis: 13 } }

  it('is readable by its owner alone, since it holds the token', async () => {
    await writeServerFile(folder.path, content)
    expect((await stat(serverFilePath(folder.path))).mode & 0o777).toBe(0o600)
    expect(await readServerFile(folder.path)).toEqual(content)
  })
})
