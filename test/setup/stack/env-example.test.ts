import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { readConfig as readCoordinatorConfig } from '../../../coordinator/process/config.ts'
import { readConfig as readRunnerConfig } from '../../../runner/process/config.ts'

const root = join(import.meta.dirname, '../../..')
function read(path: string) {
  return readFile(join(root, path), 'utf8')
}

/** The keys of the schema that each config.ts reads its environment with. */
/** Every machine has it, and nobody sets it for Errand. */
const OF_MACHINE = 'PATH'

async function variablesOf(path: string): Promise<string[]> {
  const names = [...(await read(path)).matchAll(/^ {4}([A-Z][A-Z0-9_]+):/gm)].flatMap((match) => match[1] ?? [])
  return names.filter((name) => name !== OF_MACHINE)
}

/** What the command line and the setup take from the environment beside those. */
async function mentioned(folder: string): Promise<string[]> {
  const files = (await readdir(join(root, folder), { recursive: true })).filter((name) => name.endsWith('.ts'))
  const texts = await Promise.all(files.map((name) => read(join(folder, name))))
  return texts.flatMap((text) => text.match(/\b(?:ERRAND_[A-Z_]+|NODE_EXTRA_CA_CERTS)\b/g) ?? [])
}

/** The tests set it for the images that Compose builds. */
const OF_COMPOSE_ALONE = 'ERRAND_BASE_IMAGE'

/** Of its last section. */
function compose(example: string) {
  return example.slice(example.indexOf('# --- Docker Compose ---'))
}

function listed(text: string) {
  return [...text.matchAll(/^#([A-Z][A-Z0-9_]+)=(.*)$/gm)].map((match) => [match[1], match[2]] as const)
}

describe('.env.example', () => {
  it('lists exactly what is read, each once', async () => {
    const example = await read('.env.example')
    const wanted = new Set([
      ...(await variablesOf('coordinator/process/config.ts')),
      ...(await variablesOf('runner/process/config.ts')),
    ])
    expect(wanted.size).toBeGreaterThan(30)
    for (const name of [...(await mentioned('cli')), ...(await mentioned('setup'))])
      if (name !== OF_COMPOSE_ALONE) wanted.add(name)
    expect(
      listed(example)
        .map(([name]) => name)
        .sort(),
    ).toEqual([...wanted].sort())
  })

  it('counts in Docker Compose too, where it does not say otherwise', async () => {
    const example = await read('.env.example')
    const passed = await read('docker-compose.yml')
    const ofProcesses = [
      ...(await variablesOf('coordinator/process/config.ts')),
      ...(await variablesOf('runner/process/config.ts')),
    ]
    const lost = ofProcesses.filter((name) => !new RegExp(`^ +${name}:$|\\{${name}:-`, 'm').test(passed))
    expect(lost.filter((name) => !compose(example).includes(name))).toEqual([])
  })

  it('names the Docker engine so that the docker command understands it', async () => {
    const [, host] = listed(await read('.env.example')).find(([name]) => name === 'DOCKER_HOST') ?? []
    expect(host).toMatch(/^unix:\/\/\//)
    expect(host).toBe(readRunnerConfig({ RUNNER_TOKEN: 'x'.repeat(32) }).dockerHost)
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
