import { randomUUID } from 'node:crypto'
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { buildSync } from 'esbuild'
import { type Command, stripsTypes } from '../process/processes.ts'
import { contentHash } from './content-hash.ts'

/** A program of the server; its sources begin at `main.ts` of its folder. */
export type Program = 'coordinator' | 'runner'

const INGREDIENTS = ['contract', 'client', 'coordinator', 'runner', 'package-lock.json'] as const

/**
 * The command that runs a program in the folder `root`. Node that strips types runs the sources as they are. For Node 20, they are first joined
 * into `dist/PROGRAM.mjs` if they have changed: it starts in about half the time that tsx takes, without a compiler in its memory.
 * @throws Error with esbuild's message if a source is faulty
 */
export async function programCommand(root: string, program: Program): Promise<Command> {
  const main = join(program, 'main.ts')
  if (stripsTypes()) return { file: process.execPath, args: [main] }
  const joined = join('dist', `${program}.mjs`)
  await joinSources(root, main, joined)
  return { file: process.execPath, args: ['--enable-source-maps', joined] }
}

async function joinSources(root: string, main: string, joined: string): Promise<void> {
  const file = join(root, joined)
  const firstLine = `// Made of the sources ${await contentHash(root, INGREDIENTS, 'program')}`
  if ((await readFile(file, 'utf8').catch(() => '')).startsWith(`${firstLine}\n`)) return
  const { outputFiles } = buildSync({
    logLevel: 'silent',
    absWorkingDir: root,
    entryPoints: [main],
    outfile: joined,
    write: false,
    bundle: true,
    packages: 'external',
    platform: 'node',
    format: 'esm',
    target: 'node20',
    sourcemap: 'inline',
    banner: { js: firstLine },
  })
  await mkdir(dirname(file), { recursive: true })
  // Complete or not there: several processes may join the sources at once.
  const own = `${file}.${randomUUID()}`
  await writeFile(own, outputFiles[0]?.contents ?? '')
  await rename(own, file)
}
