import { appendFile, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { createSpool, recoverSpools, type Spool } from '../../../runner/river/spool.ts'
import { type TemporaryFolder, temporaryFolder } from '../../support/systems/temporary.ts'

const header = { taskId: 'task/../1', attempt: 3, turn: 2, signingKey: 'ab' }
function entry(n: number, body = `{"n":${n}}`) {
  return { n, at: '2026-11-21T08:00:00.000Z', body }
}
function range(from: number, to: number) {
  return Array.from({ length: to - from + 1 }, (_, i) => entry(from + i))
}

describe('a spool', () => {
  let folder: TemporaryFolder
  const open: Spool[] = []
  const create = async () => {
    const spool = await createSpool(folder.path, header)
    open.push(spool)
    return spool
  }
  const recover = async () => {
    const spools = await recoverSpools(folder.path)
    open.push(...spools)
    return spools
  }
  const onlyFile = async () => join(folder.path, (await readdir(folder.path))[0] ?? 'none')

  beforeEach(async () => {
    folder = await temporaryFolder()
  })
  afterEach(async () => {
    for (const spool of open.splice(0)) await spool.close().catch(() => undefined)
    await folder.remove()
  })

  it('gives back what was appended, from any number on, within the limits', async () => {
    const spool = await create()
    await spool.append(range(1, 3))
    await spool.append([entry(4, 'ü'.repeat(1000)), entry(5)])
    expect(spool.lastN()).toBe(5)
    expect(await spool.read(2, 2)).toEqual(range(2, 3))
    expect((await spool.read(1, 100)).map(({ n }) => n)).toEqual([1, 2, 3, 4, 5])
    expect((await spool.read(4, 100, 10)).map(({ n }) => n)).toEqual([4])
    expect(await spool.read(6, 100)).toEqual([])
  })

  it('is a file in its own folder that only its owner can read', async () => {
    await create()
    expect(await readdir(folder.path)).toHaveLength(1)
    expect((await stat(await onlyFile())).mode & 0o777).toBe(0o600)
  })

  it('forgets the events of a line of output whose last event was not written: that line is read again', async () => {
    const spool = await create()
    const of = (n: number, end: number, more: number) => ({ ...entry(n), output: { end, more } })
    await spool.append([of(1, 10, 0), of(2, 20, 1), of(3, 20, 0), entry(4), of(5, 30, 2), of(6, 30, 1)])
    await spool.close()
    const [found] = await recover()
    expect(found?.lastN()).toBe(4)
    expect((await found?.read(1, 100))?.map(({ output }) => output?.end)).toEqual([10, 20, 20, undefined])
    await found?.append([of(5, 30, 0)])
    await found?.close()
    const [again] = await recover()
    expect(again?.lastN()).toBe(5)
    await again?.close()
  })

  it('goes on after a crash in the middle of a line', async () => {
    const spool = await create()
    await spool.append(range(1, 3))
    await spool.close()
    await appendFile(await onlyFile(), '{"n":4,"at":"2026-11-21T08:0')
    const [found] = await recover()
    expect(found?.header).toEqual(header)
    expect(found?.lastN()).toBe(3)
    await found?.append(range(4, 5))
    expect(await found?.read(1, 100)).toEqual(range(1, 5))
    expect((await readFile(await onlyFile(), 'utf8')).trimEnd().split('\n')).toHaveLength(6)
  })

  it('ends before a line that does not follow on the last', async () => {
    const spool = await create()
    await spool.append(range(1, 2))
    await spool.close()
    await appendFile(await onlyFile(), `${JSON.stringify(entry(4))}\n${JSON.stringify(entry(3))}\n`)
    expect((await recover())[0]?.lastN()).toBe(2)
  })

  it('is deleted when not even its header was written', async () => {
    await writeFile(join(folder.path, 'torn.1.ndjson'), '{"taskId":"a"')
    expect(await recover()).toEqual([])
    expect(await readdir(folder.path)).toEqual([])
  })

  it('keeps in memory what the disk does not take, and says so once', async () => {
    const spool = await create()
    await spool.append(range(1, 2))
    // A closed file refuses every write, as a full disk does.
    await spool.close()
    await expect(spool.append([entry(3)])).rejects.toThrow()
    const onDisk = spool.bytes()
    await expect(spool.append([entry(4)])).resolves.toBeUndefined()
    expect(spool.bytes()).toBeGreaterThan(onDisk)
    expect(spool.lastN()).toBe(4)
    expect((await spool.read(3, 10)).map(({ n }) => n)).toEqual([3, 4])
    expect((await spool.read(4, 10)).map(({ n }) => n)).toEqual([4])
  })

  it('is gone when removed', async () => {
    const spool = await create()
    await spool.remove()
    expect(await readdir(folder.path)).toEqual([])
  })
})
