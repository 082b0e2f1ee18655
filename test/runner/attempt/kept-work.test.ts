import { mkdir, readdir, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { pino } from 'pino'
import { type KeptWork, openKeptWork } from '../../../runner/attempt/kept-work.ts'
import { CoordinatorFault, type Saving } from '../../../runner/lease/coordinator-client.ts'
import { waitFor } from '../../support/checks/wait.ts'
import { type TemporaryFolder, temporaryFolder } from '../../support/systems/temporary.ts'

function away() {
  return new CoordinatorFault('unreachable', 'away')
}

const PROOF = 'ab'.repeat(32)

describe('work that the coordinator was not there to take', () => {
  let folder: TemporaryFolder
  let directory: string
  let kept: KeptWork
  let taken: string[]
  let asked: number
  let fault: CoordinatorFault | null

  beforeEach(async () => {
    folder = await temporaryFolder()
    directory = join(folder.path, 'kept')
    ;[taken, asked, fault] = [[], 0, away()]
  })
  afterEach(async () => {
    await kept.stop()
    await folder.remove()
  })

  const open = async () => {
    const saveArtifact = async (taskId: string, attempt: number, kind: string, body: Readable, more: Saving = {}) => {
      expect(more.proof).toBe(PROOF)
      asked += 1
      if (fault) {
        body.destroy()
        throw fault
      }
      taken.push(`${taskId} ${attempt} ${kind} ${await text(body)}`)
    }
    kept = await openKeptWork({
      directory,
      client: { saveArtifact },
      proofOf: () => PROOF,
      log: pino({ level: 'silent' }),
      everyMs: 10,
    })
  }
  const keep = (taskId: string) => kept.keep(taskId, 2, Readable.from(['the work']))
  const left = () => readdir(directory)

  it('is brought when it is back, also by the next process, and then gone from this host', async () => {
    await open()
    await keep('tsk_1')
    await waitFor('a try in vain', () => asked > 0)
    await kept.stop()
    expect(await left()).toEqual([`tsk_1-2.${PROOF}.bundle`])
    await open()
    await waitFor('another try in vain', () => asked > 1)
    fault = null
    await waitFor('it to be gone', async () => (await left()).length === 0)
    expect(taken).toEqual(['tsk_1 2 bundle the work'])
  })

  it('is given up when the coordinator does not want it, but not when it only refuses this runner', async () => {
    fault = new CoordinatorFault('refused', 'a wrong token')
    await open()
    await keep('tsk_1')
    await waitFor('a few tries', () => asked > 2)
    expect(await left()).toEqual([`tsk_1-2.${PROOF}.bundle`])
    fault = new CoordinatorFault('refused', 'not the current one', { status: 409 })
    await waitFor('it to be gone', async () => (await left()).length === 0)
  })

  it('has a bound: so many, so long, and nothing that is not whole', async () => {
    await mkdir(directory)
    await writeFile(join(directory, 'tsk_0-1.bundle.part'), 'half')
    await open()
    for (let n = 1; n <= 20; n++) await keep(`tsk_${n}`)
    await expect(keep('tsk_21')).rejects.toThrow('20 bundles wait')
    await expect(keep('../x')).rejects.toThrow('no file name')
    const broken = Readable.from(
      (async function* () {
        yield 'half'
        throw new Error('cut')
      })(),
    )
    const old = new Date(Date.now() - 31 * 24 * 60 * 60_000)
    await utimes(join(directory, `tsk_7-2.${PROOF}.bundle`), old, old)
    await waitFor('the old one to be gone', async () => (await left()).length === 19)
    await expect(kept.keep('tsk_21', 1, broken)).rejects.toThrow('cut')
    expect((await left()).filter((name) => !name.endsWith('.bundle'))).toEqual([])
  })
})
