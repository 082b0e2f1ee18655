import { mkdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { openDataFolder } from '../../../runner/process/data-folder.ts'
import { temporaryFolder } from '../../support/systems/temporary.ts'

describe("the runner's folder", () => {
  it('keeps the id over restarts, and takes the old doors away', async () => {
    const folder = await temporaryFolder()
    const path = join(folder.path, 'r')
    const first = await openDataFolder(path)
    await mkdir(join(first.doorsDirectory, 'old'))
    const second = await openDataFolder(path)
    expect(second).toEqual(first)
    await expect(stat(join(first.doorsDirectory, 'old'))).rejects.toThrow('ENOENT')
    await folder.remove()
  })

  it('makes a new id where a full disk left an empty one', async () => {
    const folder = await temporaryFolder()
    await writeFile(join(folder.path, 'runner-id'), '')
    const { runnerId } = await openDataFolder(folder.path)
    expect(runnerId).toMatch(/^[0-9a-f]{16}$/)
    expect((await readFile(join(folder.path, 'runner-id'), 'utf8')).trim()).toBe(runnerId)
    await folder.remove()
  })

  it('says what to do when it cannot be used', async () => {
    const folder = await temporaryFolder()
    await writeFile(join(folder.path, 'file'), '')
    await expect(openDataFolder(join(folder.path, 'file'))).rejects.toThrow(/file cannot be used \(.*set RUNNER_DATA_DIR/)
    await expect(openDataFolder(`/${'long/'.repeat(20)}`)).rejects.toThrow(/too long/)
    await folder.remove()
  })
})
