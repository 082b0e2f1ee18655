import { mkdir, readdir, readFile, rename, rm, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from '@jest/globals'
import { pinFiles, removeOldWork, workFolder } from '../../../coordinator/backup/pins.ts'
import { folderForEach } from '../../support/systems/closing.ts'

const folder = folderForEach()

it('keeps what is removed or replaced before the backup has it, and what came while the database was copied', async () => {
  const [from, pins] = [join(folder.path, 'artifacts'), join(folder.path, 'pins')]
  await mkdir(from)
  await mkdir(pins)
  for (const name of ['gone', 'replaced', 'stays', 'arriving.part']) await writeFile(join(from, name), `${name} 1`)
  pinFiles(from, pins)
  await rm(join(from, 'gone'))
  await writeFile(join(from, 'new'), 'replaced 2')
  await rename(join(from, 'new'), join(from, 'replaced'))
  await writeFile(join(from, 'later'), 'later 1')
  pinFiles(from, pins)
  const kept = (await readdir(pins)).sort()
  expect(kept).toEqual(['gone', 'later', 'replaced', 'stays'])
  for (const name of kept) expect(await readFile(join(pins, name), 'utf8')).toBe(`${name} 1`)
  // A server that stored nothing yet has no such folder.
  pinFiles(join(folder.path, 'nowhere'), pins)
})

it('removes what a killed backup left, a day later, and nothing else', async () => {
  const beside = join(folder.path, 'errand.backup')
  const now = Date.now()
  const [old, young] = [workFolder(beside, '0123456789ab'), workFolder(beside, 'ba9876543210')]
  for (const path of [old, young, `${beside}.mine`]) await mkdir(path)
  for (const path of [old, `${beside}.mine`]) await utimes(path, 0, now / 1_000 - 25 * 3_600)
  await removeOldWork(beside, now)
  expect((await readdir(folder.path)).sort()).toEqual(['errand.backup.ba9876543210.tmp', 'errand.backup.mine'])
})
