import { existsSync } from 'node:fs'
import { dirname } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { execa } from 'execa'
import { NOT_YET } from './support/checks/not-yet.ts'
import { look, readSources, type Source } from './support/checks/sources.ts'

const MOST_LINES = 300
const MOST_FUNCTION_LINES = 60
const MOST_ENTRIES = 15
const FEW_LINES = 25
const FEW_SMALL = 40

const ROOMS = ['bin', 'cli', 'contract', 'client', 'coordinator', 'runner', 'worker-image', 'setup', 'app', 'test']
const sources = await readSources(ROOMS)
/** A test file is one long list of cases; what it is made of is held to the same size as everything else. */
const isCases = ({ file }: Source) => file.endsWith('.test.ts')

describe('the size of things', () => {
  it(`is ${MOST_LINES} lines at most for a file`, () => {
    expect(sources.filter(({ lines }) => lines > MOST_LINES).map(({ file, lines }) => `${file} has ${lines} lines`)).toEqual([])
  })

  it('is under 100 lines for the file in the middle', () => {
    const sizes = sources.map(({ lines }) => lines).sort((a, b) => a - b)
    expect(sizes[Math.floor(sizes.length / 2)]).toBeLessThan(100)
  })

  it(`is ${MOST_FUNCTION_LINES} lines at most for a function`, () => {
    const long = sources.filter((source) => !isCases(source)).flatMap(({ file, functions }) => tooLong(file, functions))
    expect(long.filter((fault) => !NOT_YET.longFunctions.includes(nameIn(fault)))).toEqual([])
    expect(NOT_YET.longFunctions.filter((name) => !long.map(nameIn).includes(name))).toEqual([])
  })

  it(`is ${MOST_ENTRIES} files at most for a folder`, async () => {
    const full = tooFull(await listFiles())
    expect(full.filter((fault) => !NOT_YET.fullFolders.includes(folderIn(fault)))).toEqual([])
    expect(NOT_YET.fullFolders.filter((folder) => !full.map(folderIn).includes(folder))).toEqual([])
  })

  it(`is so small that a file is hardly worth opening for fewer than ${FEW_SMALL} files`, () => {
    expect(tooMany(sources)).toEqual([])
  })

  it('would notice a planted fault, and name file and rule', async () => {
    const body = '  work()\n'.repeat(MOST_FUNCTION_LINES)
    const { functions } = await look(
      'runner/planted.ts',
      `// A comment before it.\nconst a = 1\nexport function planted() {\n${body}}\n`,
    )
    expect(tooLong('runner/planted.ts', functions)).toEqual([
      `runner/planted.ts: planted has ${MOST_FUNCTION_LINES + 2} lines, ${MOST_FUNCTION_LINES} are the most for a function`,
    ])
    expect(tooFull(Array.from({ length: MOST_ENTRIES + 1 }, (_, n) => `runner/full/${n}.ts`))).toEqual([
      `runner/full has ${MOST_ENTRIES + 1} files, ${MOST_ENTRIES} are the most for a folder`,
    ])
    const smallOnes = (count: number) => Array.from({ length: count }, (_, n) => ({ file: `runner/${n}.ts`, lines: FEW_LINES }))
    expect(tooMany(smallOnes(FEW_SMALL - 1))).toEqual([])
    expect(tooMany(smallOnes(FEW_SMALL))[0]).toBe(`runner/0.ts has ${FEW_LINES} lines`)
  })
})

function tooLong(file: string, functions: Source['functions']): string[] {
  return functions
    .filter(({ lines }) => lines > MOST_FUNCTION_LINES)
    .map(({ name, lines }) => `${file}: ${name} has ${lines} lines, ${MOST_FUNCTION_LINES} are the most for a function`)
}

function tooFull(files: readonly string[]): string[] {
  const counts = new Map<string, number>()
  for (const file of files) counts.set(dirname(file), (counts.get(dirname(file)) ?? 0) + 1)
  return [...counts]
    .filter(([folder, count]) => folder !== '.' && count > MOST_ENTRIES)
    .map(([folder, count]) => `${folder} has ${count} files, ${MOST_ENTRIES} are the most for a folder`)
}

/** @returns every small file once there are too many. A migration is the record of a released version, and stays as short as it is. */
function tooMany(files: readonly Pick<Source, 'file' | 'lines'>[]): string[] {
  const small = files.filter(({ file, lines }) => lines <= FEW_LINES && !file.includes('/sqlite/migrations/'))
  return small.length < FEW_SMALL ? [] : small.map(({ file, lines }) => `${file} has ${lines} lines`)
}

function nameIn(fault: string): string {
  return fault.replace(/ has .*/, '')
}

function folderIn(fault: string): string {
  return fault.replace(/ has .*/, '')
}

/** What git would keep of every room, pictures and styles included. */
async function listFiles(): Promise<string[]> {
  const { stdout } = await execa('git', ['ls-files', '--cached', '--others', '--exclude-standard', '--deduplicate', ...ROOMS])
  return stdout.split('\n').filter((file) => !file.includes('/template/') && existsSync(file))
}
