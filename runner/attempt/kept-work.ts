import { createReadStream } from 'node:fs'
import { mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { Logger } from 'pino'
import { type CoordinatorClient, CoordinatorFault } from '../lease/coordinator-client.ts'
import { startRepeating } from '../process/repeat.ts'

/** Keeps the work of sandboxes that were stopped while the coordinator was away, as git bundles, until the coordinator takes them. */
export type KeptWork = {
  /** The bundle is on the disk when this returns. @throws Error when there is no room for more */
  keep: (taskId: string, attempt: number, bundle: Readable) => Promise<void>
  /** Leaves what could not be handed over to the next start. */
  stop: () => Promise<void>
}

type Parts = {
  directory: string
  client: Pick<CoordinatorClient, 'saveArtifact'>
  /** The proof that this runner holds an attempt's lease, while it has it. */
  proofOf: (taskId: string, attempt: number) => string | undefined
  log: Logger
}

const EVERY_MS = 5_000
/** Bundles on one host. Each has 100 MB at most. */
const MOST_BUNDLES = 20
/** For a coordinator that never comes back. */
const KEPT_MS = 30 * 24 * 60 * 60_000
/** Task, attempt, and the proof that the coordinator asks for when it takes the bundle. */
const IS_BUNDLE = /^([A-Za-z0-9_-]{1,100})-(\d{1,9})(?:\.([0-9a-f]{64}))?\.bundle$/

/** Also hands over what an earlier process kept. */
export async function openKeptWork({ everyMs = EVERY_MS, ...parts }: Parts & { everyMs?: number }): Promise<KeptWork> {
  const { directory } = parts
  await mkdir(directory, { recursive: true, mode: 0o700 })
  for (const name of await readdir(directory)) if (!IS_BUNDLE.test(name)) await rm(join(directory, name), { force: true })
  const stopped = new AbortController()
  const handingOver = startRepeating(() => handOverAll(parts, stopped.signal), everyMs, 0)
  return {
    keep: (taskId, attempt, bundle) => keep(parts, taskId, attempt, bundle),
    stop: () => {
      stopped.abort()
      return handingOver.stop()
    },
  }
}

async function keep({ directory, proofOf, log }: Parts, taskId: string, attempt: number, bundle: Readable): Promise<void> {
  const proof = proofOf(taskId, attempt)
  const name = `${taskId}-${attempt}${proof === undefined ? '' : `.${proof}`}.bundle`
  if (!IS_BUNDLE.test(name)) throw new Error(`the task has an id that makes no file name: ${taskId}`)
  if ((await readdir(directory)).length >= MOST_BUNDLES)
    throw new Error(`${MOST_BUNDLES} bundles wait on this host for the coordinator already`)
  const part = join(directory, `${name}.part`)
  try {
    // Open it before the first byte: a bundle that breaks off at once must not create its file after the removal below.
    const file = await open(part, 'w', 0o600)
    await pipeline(bundle, file.createWriteStream({ flush: true }))
    await rename(part, join(directory, name))
    log.warn({ event: 'work.kept_here', taskId, attempt })
  } finally {
    await rm(part, { force: true })
  }
}

async function handOverAll(parts: Parts, stopped: AbortSignal): Promise<void> {
  const { directory, log } = parts
  const waiting = async () => (await readdir(directory)).filter((name) => IS_BUNDLE.test(name))
  try {
    for (const name of await waiting())
      if (Date.now() - (await stat(join(directory, name))).mtimeMs > KEPT_MS)
        await giveUp(parts, name, 'nobody took it for too long')
    for (const name of await waiting()) if (!stopped.aborted) await handOver(parts, name)
  } catch (error) {
    log.debug({ event: 'work.waits', err: error })
  }
}

async function handOver(parts: Parts, name: string): Promise<void> {
  const { directory, client, log } = parts
  const [, taskId = '', attempt = '', proof] = IS_BUNDLE.exec(name) ?? []
  try {
    await client.saveArtifact(taskId, Number(attempt), 'bundle', createReadStream(join(directory, name)), { proof })
  } catch (error) {
    // A refusal without a status is about this runner, not about the bundle.
    if (!(error instanceof CoordinatorFault) || error.kind !== 'refused' || error.status === null) throw error
    return giveUp(parts, name, error)
  }
  log.info({ event: 'work.brought', taskId, attempt: Number(attempt) })
  await rm(join(directory, name), { force: true })
}

async function giveUp({ directory, log }: Parts, name: string, err: unknown): Promise<void> {
  log.error({ event: 'work.given_up', bundle: name, err })
  await rm(join(directory, name), { force: true })
}
