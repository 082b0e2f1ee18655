import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { text } from 'node:stream/consumers'
import { showThatItLives } from '../process/progress.mjs'
import { contentHash } from './content-hash.ts'

/** The sources of the app. */
const INGREDIENTS = [
  ...['index.html', 'package.json', 'public', 'src', 'tsconfig.json', 'vite.config.ts'].map((name) => join('app', name)),
  'contract',
  'client',
  'package-lock.json',
] as const

/**
 * Builds the app into `app/dist`, from where the coordinator serves it, if its sources have changed.
 * @throws Error with the end of the build's output
 */
export async function buildApp(root: string): Promise<void> {
  const note = join(root, 'app', 'dist', '.built-from')
  const hash = await contentHash(root, INGREDIENTS, 'app')
  if ((await readFile(note, 'utf8').catch(() => null)) === hash) return
  console.log('Building the app …')
  const since = performance.now()
  await runVite(root)
  // Written last, so that an interrupted build is repeated.
  await writeFile(note, hash)
  console.log(`  built in ${Math.round((performance.now() - since) / 1000)} s`)
}

async function runVite(root: string): Promise<void> {
  const child = spawn(process.execPath, [viteProgram(root), 'build', '--logLevel', 'warn'], {
    cwd: join(root, 'app'),
    // Always the production build.
    env: { ...process.env, NODE_ENV: 'production', NO_COLOR: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const quiet = showThatItLives()
  const [output, errors, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')])
  quiet()
  if (code !== 0) throw new Error(`The app could not be built:\n${(output + errors).trim().split('\n').slice(-25).join('\n')}`)
}

function viteProgram(root: string): string {
  try {
    const packageFile = createRequire(join(root, 'app', 'package.json')).resolve('vite/package.json')
    return join(dirname(packageFile), 'bin', 'vite.js')
  } catch (cause) {
    throw new Error('Vite is missing, which builds the app. Run `npm ci` without --omit=dev and without NODE_ENV=production.', {
      cause,
    })
  }
}
