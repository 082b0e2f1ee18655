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
 * into `dist/PROGRAM.mjs` if they have changed: it starts faster than with tsx, and has no compiler in its memory.
 * @throws Error with esbuild's message if a source is faulty
 */
export async function programCommand(root: string, program: Program): Promise<Command> {
  if (stripsTypes()) return { file: process.execPath, args: [join(program, 'main.ts')] }
  return { file: process.execPath, args: ['--enable-source-maps', await joinSources(root, program)] }
}

/** @returns the path of the joined file, relative to `root` */
export async function joinSources(root: string, program: Program): Promise<string> {
  const joined = join('dist', `${program}.mjs`)
  const file = join(root, joined)
  const firstLine = `// Made of the sources ${await contentHash(root, INGREDIENTS, 'program')}`
  if ((await readFile(file, 'utf8').catch(() => '')).startsWith(`${firstLine}\n`)) return joined
  const { outputFiles } = buildSync({
    logLevel: 'silent',
    absWorkingDir: root,
    entryPoints: [join(program, 'main.ts')],
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
  return joined
}
