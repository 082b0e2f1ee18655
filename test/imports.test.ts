import { readFileSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { builtinModules } from 'node:module'
import { dirname, join, relative, sep } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { parse } from '@swc/core'

const root = join(import.meta.dirname, '..')

/** What each room may import besides itself and Node: rooms by name, packages with an `npm:` before theirs. */
const TABLE: Readonly<Record<string, readonly string[]>> = {
  contract: ['npm:zod'],
  coordinator: ['contract', 'npm:*'],
  runner: ['contract', 'npm:*'],
  'worker-image': ['contract', 'npm:@anthropic-ai/sdk'],
  // The words beside a sign-in link are those of `errand link`.
  setup: ['contract', 'cli', 'npm:ioredis', 'npm:zod', 'npm:tsx'],
  cli: ['contract', 'npm:socket.io-client', 'npm:uqr', 'npm:zod'],
  bin: ['cli', 'npm:tsx'],
  app: ['contract', 'npm:virtual:pwa-register', ...packagesOf('app/package.json')],
}

/** The files that a vendor lives in. `runner` and `coordinator` share a queue, so bullmq has one on each side of it. */
const VENDORS: Readonly<Record<string, readonly string[]>> = {
  bullmq: ['coordinator/queue/dispatch.ts', 'runner/jobs/take-jobs.ts'],
  dockerode: ['runner/sandbox/docker.ts'],
  'socket.io': ['coordinator/live/rooms.ts'],
  'better-sqlite3': ['coordinator/store/sqlite/database.ts'],
  '@anthropic-ai/sdk': ['worker-image/model/model-client.ts'],
  'web-push': ['coordinator/notify/web-push.ts'],
  'socket.io-client': ['cli/server/follow.ts', 'app/src/client/socket.ts'],
  uqr: ['cli/show/qr-code.ts', 'app/src/settings/qr-code.tsx'],
}

type Import = { file: string; from: string; typeOnly: boolean }
type Source = { file: string; room: string; lines: number; imports: Import[] }

const sources = await readSources()
const ofRooms = sources.filter(({ room }) => room in TABLE)

describe('who imports whom', () => {
  it('reads the sources of every room', () => {
    for (const room of Object.keys(TABLE))
      expect({ room, files: ofRooms.filter((source) => source.room === room).length }).not.toEqual({ room, files: 0 })
    expect(ofRooms.flatMap(({ imports }) => imports).length).toBeGreaterThan(200)
  })

  it('keeps to the table of rooms', () => {
    const breaches = ofRooms.flatMap(({ room, imports }) =>
      imports.filter(({ file, from }) => !mayImport(room, target(file, from))).map(({ file, from }) => `${file} imports ${from}`),
    )
    expect(breaches).toEqual([])
  })

  it('would notice a breach', () => {
    expect(mayImport('worker-image', 'runner')).toBe(false)
    expect(mayImport('runner', 'coordinator')).toBe(false)
    expect(mayImport('contract', 'npm:ioredis')).toBe(false)
    expect(mayImport('cli', 'npm:socket.io-client')).toBe(true)
    expect(target('runner/gateway/git/git.ts', '../../../coordinator/process/config.ts')).toBe('coordinator')
    expect(target('runner/sandbox/docker.ts', 'dockerode')).toBe('npm:dockerode')
    expect(target('runner/sandbox/docker.ts', '@scope/name/deep')).toBe('npm:@scope/name')
  })

  it('lets the app take types and plain words from the contract, and no schema that would weigh on the phone', () => {
    const imports = ofRooms.flatMap((source) => (source.room === 'app' ? source.imports : []))
    const fromContract = imports.filter(({ file, from }) => target(file, from) === 'contract')
    expect(fromContract.length).toBeGreaterThan(5)
    const plain = ofRooms.filter(({ room, imports }) => room === 'contract' && imports.length === 0).map(({ file }) => file)
    const values = fromContract.filter(({ file, from, typeOnly }) => !typeOnly && !plain.includes(join(dirname(file), from)))
    expect(values.map(({ file, from }) => `${file} imports ${from}`)).toEqual([])
  })

  it('keeps each vendor in its own file', () => {
    const elsewhere = ofRooms.flatMap(({ imports }) =>
      imports.filter(({ file, from }) => {
        const homes = VENDORS[target(file, from).replace('npm:', '')]
        return homes !== undefined && !homes.includes(file)
      }),
    )
    expect(elsewhere.map(({ file, from }) => `${file} imports ${from}`)).toEqual([])
  })

  it('reads the environment in the configuration of each process and nowhere else', async () => {
    const allowed = /^(setup|bin|cli)\/|\/main\.ts$/
    const readers: string[] = []
    for (const { file } of ofRooms)
      if (!allowed.test(file) && /process\.env\b/.test(stripComments(await readFile(join(root, file), 'utf8'))))
        readers.push(file)
    expect(readers).toEqual([])
  })
})

describe('the size of files', () => {
  it('is 300 lines at most', () => {
    expect(sources.filter(({ lines }) => lines > 300).map(({ file, lines }) => `${file}: ${lines}`)).toEqual([])
  })

  it('is under 100 lines in the middle', () => {
    const sizes = sources.map(({ lines }) => lines).sort((a, b) => a - b)
    expect(sizes[Math.floor(sizes.length / 2)]).toBeLessThan(100)
  })
})

function mayImport(room: string, wanted: string): boolean {
  const allowed = TABLE[room] ?? []
  return (
    wanted === room || wanted === 'node' || allowed.includes(wanted) || (wanted.startsWith('npm:') && allowed.includes('npm:*'))
  )
}

/** @returns the room, `npm:<package>`, or `node` that an import leads to */
function target(file: string, from: string): string {
  if (from.startsWith('.')) return relative(root, join(root, dirname(file), from)).split(sep)[0] ?? ''
  if (from.startsWith('node:') || builtinModules.includes(from)) return 'node'
  return `npm:${from
    .split('/')
    .slice(0, from.startsWith('@') ? 2 : 1)
    .join('/')}`
}

/** What a workspace of its own depends on. */
function packagesOf(path: string): string[] {
  const { dependencies, devDependencies } = JSON.parse(readFileSync(join(root, path), 'utf8'))
  return Object.keys({ ...dependencies, ...devDependencies }).map((name) => `npm:${name}`)
}

async function readSources(): Promise<Source[]> {
  const files: string[] = []
  for (const room of [...Object.keys(TABLE), 'test'])
    for (const entry of await readdir(join(root, room), { recursive: true, withFileTypes: true }))
      if (entry.isFile() && /\.(ts|tsx|mts|mjs)$/.test(entry.name) && !/\b(node_modules|dist)\b/.test(entry.parentPath))
        files.push(relative(root, join(entry.parentPath, entry.name)).split(sep).join('/'))
  return Promise.all(files.sort().map(readSource))
}

async function readSource(file: string): Promise<Source> {
  const text = await readFile(join(root, file), 'utf8')
  return { file, room: file.split('/')[0] ?? '', lines: text.split('\n').length - 1, imports: await importsOf(file, text) }
}

/** Static imports and re-exports from the syntax tree, and dynamic ones that name a file. */
async function importsOf(file: string, text: string): Promise<Import[]> {
  const tree = await parse(text, { syntax: 'typescript', tsx: file.endsWith('.tsx'), target: 'es2022' })
  const found: Import[] = []
  for (const item of tree.body)
    if ('source' in item && item.source)
      found.push({ file, from: item.source.value, typeOnly: 'typeOnly' in item && item.typeOnly === true })
  for (const match of stripComments(text).matchAll(/\bimport\(\s*['"]([^'"]+)['"]\s*\)/g))
    if (match[1]) found.push({ file, from: match[1], typeOnly: false })
  return found
}

function stripComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '')
}
