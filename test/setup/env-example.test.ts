import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { readConfig as readCoordinatorConfig } from '../../coordinator/config.ts'
import { readConfig as readRunnerConfig } from '../../runner/config.ts'

const root = join(import.meta.dirname, '../..')
const read = (path: string) => readFile(join(root, path), 'utf8')

/** The keys of the schema that each config.ts reads its environment with. */
const variablesOf = async (path: string): Promise<string[]> =>
  [...(await read(path)).matchAll(/^ {4}([A-Z][A-Z0-9_]+):/gm)].flatMap((match) => match[1] ?? [])

const listed = (text: string) => [...text.matchAll(/^#([A-Z][A-Z0-9_]+)=(.*)$/gm)].map((match) => [match[1], match[2]] as const)

describe('.env.example', () => {
  it('lists exactly what the two processes read, each once', async () => {
    const wanted = new Set([...(await variablesOf('coordinator/config.ts')), ...(await variablesOf('runner/config.ts'))])
    expect(wanted.size).toBeGreaterThan(30)
    expect(
      listed(await read('.env.example'))
        .map(([name]) => name)
        .sort(),
    ).toEqual([...wanted].sort())
  })

  it('says of each what it is, in the line above it or above its group', async () => {
    const lines = (await read('.env.example')).split('\n')
    const bare = lines.filter((line, at) => /^#[A-Z_]+=/.test(line) && !/^# |^#[A-Z_]+=/.test(lines[at - 1] ?? ''))
    expect(bare).toEqual([])
  })

  it('changes nothing when its defaults are set by hand', async () => {
    const defaults = Object.fromEntries(listed(await read('.env.example')))
    const token = { RUNNER_TOKEN: 'x'.repeat(32) }
    expect(readCoordinatorConfig({ ...defaults, ...token })).toEqual(readCoordinatorConfig(token))
    expect(readRunnerConfig({ ...defaults, ...token })).toEqual(readRunnerConfig(token))
  })
})
