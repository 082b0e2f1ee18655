import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { openDataFolder } from '../../../runner/process/data-folder.ts'
import { temporaryFolder } from '../../support/systems/temporary.ts'

describe("the runner's folder", () => {
  it('keeps the id over restarts, and knows the old doors', async () => {
    const folder = await temporaryFolder()
    const path = join(folder.path, 'r')
    const { release: releaseFirst, ...first } = await openDataFolder({ path })
    await mkdir(join(first.doorsDirectory, 'old'))
    releaseFirst()
    const { release, ...second } = await openDataFolder({ path })
    expect(second).toEqual({ ...first, oldDoors: [join(first.doorsDirectory, 'old')] })
    release()
    await folder.remove()
  })

  it('belongs to one process, which may leave or die; the next one waits for it', async () => {
    const folder = await temporaryFolder()
    const { path } = folder
    const first = await openDataFolder({ path })
    await expect(openDataFolder({ path, waitMs: 0 })).rejects.toThrow(/Another runner uses the folder .*set RUNNER_DATA_DIR/)
    const second = openDataFolder({ path })
    first.release()
    ;(await second).release()
    // What a killed process leaves.
    const holder = spawn(process.execPath, [
      '-e',
      `require('net').createServer().listen('${join(path, 'held.sock')}', () => console.log('up'))`,
    ])
    await once(holder.stdout, 'data')
    await expect(openDataFolder({ path, waitMs: 0 })).rejects.toThrow('Another runner')
    holder.kill('SIGKILL')
    await once(holder, 'close')
    expect((await stat(join(path, 'held.sock'))).isSocket()).toBe(true)
    ;(await openDataFolder({ path, waitMs: 0 })).release()
    await folder.remove()
  })

  it('makes a new id where a full disk left an empty one', async () => {
    const folder = await temporaryFolder()
    await writeFile(join(folder.path, 'runner-id'), '')
    const { runnerId, release } = await openDataFolder({ path: folder.path })
    release()
    expect(runnerId).toMatch(/^[0-9a-f]{16}$/)
    expect((await readFile(join(folder.path, 'runner-id'), 'utf8')).trim()).toBe(runnerId)
    await folder.remove()
  })

  it('says what to do when it cannot be used', async () => {
    const folder = await temporaryFolder()
    await writeFile(join(folder.path, 'file'), '')
    await expect(openDataFolder({ path: join(folder.path, 'file') })).rejects.toThrow(
      /file cannot be used \(.*set RUNNER_DATA_DIR/,
    )
    await expect(openDataFolder({ path: `/${'long/'.repeat(20)}` })).rejects.toThrow(/too long/)
    await folder.remove()
  })
})
