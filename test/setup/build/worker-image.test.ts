import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeEach, describe, expect, it } from '@jest/globals'
import { contentHash as hashOf } from '../../../setup/build/content-hash.ts'
import { WORKER_INGREDIENTS } from '../../../setup/build/worker-image.ts'
import { temporaryFolder } from '../../support/systems/temporary.ts'

const folder = await temporaryFolder()
const root = folder.path
function contentHash(path: string, base: string) {
  return hashOf(path, WORKER_INGREDIENTS, base)
}
afterAll(() => folder.remove())

beforeEach(async () => {
  await rm(join(root, 'worker-image'), { recursive: true, force: true })
  await mkdir(join(root, 'worker-image', 'tools'), { recursive: true })
  await mkdir(join(root, 'contract'), { recursive: true })
  await writeFile(join(root, 'worker-image', 'main.ts'), 'a')
  await writeFile(join(root, 'worker-image', 'tools', 'bash.ts'), 'b')
  await writeFile(join(root, 'contract', 'names.ts'), 'c')
  await writeFile(join(root, 'package-lock.json'), '{}')
})

describe('the hash that names the sandbox image', () => {
  it('stays the same while nothing that the image is made of changes', async () => {
    const before = await contentHash(root, 'base')
    await writeFile(join(root, 'README.md'), 'not in the image')
    expect(await contentHash(root, 'base')).toBe(before)
    expect(before).toMatch(/^[0-9a-f]{12}$/)
  })

  it('changes with any content, any name, and the base image', async () => {
    const seen = new Set([await contentHash(root, 'base'), await contentHash(root, 'another base')])
    await writeFile(join(root, 'worker-image', 'tools', 'bash.ts'), 'changed')
    seen.add(await contentHash(root, 'base'))
    await writeFile(join(root, 'worker-image', 'tools', 'read.ts'), '')
    seen.add(await contentHash(root, 'base'))
    await writeFile(join(root, 'contract', 'names.ts'), 'changed')
    seen.add(await contentHash(root, 'base'))
    await writeFile(join(root, 'package-lock.json'), '{"changed":1}')
    seen.add(await contentHash(root, 'base'))
    expect(seen.size).toBe(6)
  })

  it('tells two files apart that only swapped where one ends and the next begins', async () => {
    await writeFile(join(root, 'contract', 'names.ts'), 'cc')
    await writeFile(join(root, 'package-lock.json'), '')
    const before = await contentHash(root, 'base')
    await writeFile(join(root, 'contract', 'names.ts'), 'c')
    await writeFile(join(root, 'package-lock.json'), 'c')
    expect(await contentHash(root, 'base')).not.toBe(before)
  })
})
