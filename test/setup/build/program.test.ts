import { spawnSync } from 'node:child_process'
import { appendFile, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { joinSources, programCommand } from '../../../setup/build/program.ts'
import { type TemporaryFolder, temporaryFolder } from '../../support/systems/temporary.ts'

let folder: TemporaryFolder
beforeAll(async () => {
  folder = await temporaryFolder()
  await mkdir(join(folder.path, 'runner'))
  await writeFile(join(folder.path, 'package.json'), '{ "type": "module" }')
  await write('runner/main.ts', "import { words } from './words.ts'\nconsole.log(words satisfies string)")
  await write('runner/words.ts', "export const words: string = 'first words'")
})
afterAll(() => folder.remove())

function write(file: string, text: string) {
  return writeFile(join(folder.path, file), text)
}

async function run(): Promise<string> {
  const { args } = await programCommand(folder.path, 'runner')
  return runFile(...args)
}

function runFile(...args: string[]): string {
  const { stdout, stderr } = spawnSync(process.execPath, args, { cwd: folder.path, encoding: 'utf8' })
  return stdout + stderr
}

describe('a program of the server', () => {
  it('runs its sources as they are now, also after one was changed', async () => {
    expect(await run()).toBe('first words\n')
    expect(await run()).toBe('first words\n')
    await write('runner/words.ts', "export const words: string = 'other words'")
    expect(await run()).toBe('other words\n')
  })

  it('names the line of the source when it fails', async () => {
    await write('runner/words.ts', "type Words = string\n\nthrow new Error('planted')\nexport const words: Words = ''")
    expect(await run()).toMatch(/runner\/words\.ts:3/)
  })
})

describe('the file of a program for a Node that strips no types', () => {
  it('stays as it is while no source changes, also when several ask at once', async () => {
    await write('runner/words.ts', "export const words: string = 'at once'")
    const [joined = ''] = await Promise.all([1, 2, 3].map(() => joinSources(folder.path, 'runner')))
    expect(runFile(joined)).toBe('at once\n')
    await appendFile(join(folder.path, joined), "\nconsole.log('the same file')")
    expect(runFile(await joinSources(folder.path, 'runner'))).toBe('at once\nthe same file\n')
  })

  it('is not made of a faulty source, which the message names; the last one stays', async () => {
    const joined = join(folder.path, await joinSources(folder.path, 'runner'))
    const before = await readFile(joined)
    await write('runner/words.ts', 'export const words: = 1')
    await expect(joinSources(folder.path, 'runner')).rejects.toThrow(/runner\/words\.ts:1/)
    expect(await readFile(joined)).toEqual(before)
  })
})
