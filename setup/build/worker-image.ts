import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { copyFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { imageId } from '../docker/docker-images.ts'
import { showThatItLives } from '../process/progress.mjs'
import { contentHash } from './content-hash.ts'

const WORKER_IMAGE = 'errand-worker'

/** The sources of the image. */
export const WORKER_INGREDIENTS = ['worker-image', 'contract', 'package-lock.json', '.dockerignore'] as const

export type Ingredients = Readonly<{
  root: string
  base: { tag: string; id: string }
  /** A PEM file that Node trusts on this machine (NODE_EXTRA_CA_CERTS), for a registry behind a private certificate authority. */
  extraCertificates: string | null
}>

/**
 * Builds the image for sandboxes if its sources have changed. The tag is a hash of the sources, so two versions exist side by side and a running
 * sandbox keeps its own.
 * @returns the tag
 * @throws Error with the end of the build's output
 */
export async function buildWorkerImage({ root, base, extraCertificates }: Ingredients): Promise<string> {
  const tag = `${WORKER_IMAGE}:${await contentHash(root, WORKER_INGREDIENTS, `base ${base.id}`)}`
  if (imageId(tag)) return tag
  console.log(`Building the sandbox image ${tag} (a few minutes the first time) …`)
  const since = performance.now()
  const tags = ['--tag', tag, '--tag', `${WORKER_IMAGE}:latest`]
  const args = ['build', ...tags, '--file', join('worker-image', 'Dockerfile'), '--build-arg', `BASE=${base.tag}`, '.']
  await withCertificates(root, extraCertificates, () => build(args, root))
  console.log(`  built in ${Math.round((performance.now() - since) / 1000)} s`)
  return tag
}

/** The Dockerfile reads the file at the root. A file that is already there stays. */
async function withCertificates(root: string, file: string | null, work: () => Promise<void>): Promise<void> {
  const place = join(root, 'extra-ca.pem')
  if (file === null || existsSync(place)) return work()
  await copyFile(file, place)
  try {
    await work()
  } finally {
    await rm(place, { force: true })
  }
}

/** Shows the steps as they come, and keeps the output to show if the build fails. */
async function build(args: readonly string[], root: string): Promise<void> {
  const child = spawn('docker', args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] })
  const lines: string[] = []
  let at = ''
  for (const stream of [child.stdout, child.stderr])
    createInterface({ input: stream }).on('line', (line) => {
      lines.push(line)
      at = line
      if (/^(Step \d+|#\d+ \[)/.test(line)) console.log(`  ${line.slice(0, 110)}`)
    })
  const quiet = showThatItLives(() => at)
  const [code] = await once(child, 'close')
  quiet()
  if (code !== 0) throw new Error(`The sandbox image could not be built:\n${lines.slice(-25).join('\n')}`)
}
