import { createReadStream } from 'node:fs'
import { mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { Logger } from 'pino'
import { type CoordinatorClient, CoordinatorFault } from '../lease/coordinator-client.ts'

/** Work of sandboxes that were stopped while the coordinator was away, as git bundles on this host until it takes them. */
export type KeptWork = {
  /** It is on the disk when this returns. @throws Error when there is no room for more */
  keep: (taskId: string, attempt: number, bundle: Readable) => Promise<void>
  /** What could not be brought stays for the next start. */
  stop: () => Promise<void>
}

type Options = { directory: string; client: Pick<CoordinatorClient, 'saveArtifact'>; log: Logger; everyMs?: number }

const EVERY_MS = 5_000
/** Bundles on one host. Each has 100 MB at most. */
const MOST_BUNDLES = 20
/** For a coordinator that never comes back. */
const KEPT_MS = 30 * 24 * 60 * 60_000

function nameOf(taskId: string, attempt: number) {
  return `${taskId}-${attempt}.bundle`
}
const IS_BUNDLE = /^([A-Za-z0-9_-]{1,100})-(\d{1,9})\.bundle$/

/** Takes up what an earlier process kept, too. */
export async function openKeptWork({ directory, client, log, everyMs = EVERY_MS }: Options): Promise<KeptWork> {
  await mkdir(directory, { recursive: true, mode: 0o700 })
  for (const name of await readdir(directory)) if (!IS_BUNDLE.test(name)) await rm(join(directory, name), { force: true })
  let stopped = false
  let timer: NodeJS.Timeout | undefined
  let bringing: Promise<void> = Promise.resolve()

  const waiting = async () => (await readdir(directory)).filter((name) => IS_BUNDLE.test(name))
  const giveUp = async (name: string, err: unknown) => {
    log.error({ event: 'work.given_up', bundle: name, err })
    await rm(join(directory, name), { force: true })
  }
  const bring = async (name: string): Promise<void> => {
    const [, taskId = '', attempt = ''] = IS_BUNDLE.exec(name) ?? []
    try {
      await client.saveArtifact(taskId, Number(attempt), 'bundle', createReadStream(join(directory, name)))
    } catch (error) {
      // A refusal without a status is one of this runner, not of the bundle.
      if (!(error instanceof CoordinatorFault) || error.kind !== 'refused' || error.status === null) throw error
      return giveUp(name, error)
    }
    log.info({ event: 'work.brought', taskId, attempt: Number(attempt) })
    await rm(join(directory, name), { force: true })
  }
  const bringAll = async () => {
    try {
      for (const name of await waiting())
        if (Date.now() - (await stat(join(directory, name))).mtimeMs > KEPT_MS) await giveUp(name, 'nobody took it for too long')
      for (const name of await waiting()) if (!stopped) await bring(name)
    } catch (error) {
      log.debug({ event: 'work.waits', err: error })
    }
  }
  const soon = (ms: number) => {
    if (stopped) return
    timer = setTimeout(() => {
      bringing = bringAll().finally(() => soon(everyMs))
    }, ms)
  }
  soon(0)

  return {
    keep: async (taskId, attempt, bundle) => {
      const name = nameOf(taskId, attempt)
      if (!IS_BUNDLE.test(name)) throw new Error(`the task has an id that makes no file name: ${taskId}`)
      const kept = (await readdir(directory)).length
      if (kept >= MOST_BUNDLES) throw new Error(`${MOST_BUNDLES} bundles wait on this host for the coordinator already`)
      const part = join(directory, `${name}.part`)
      try {
        // Opened before it is written to: a bundle that breaks off at once must not make its file after it was removed.
        const file = await open(part, 'w', 0o600)
        await pipeline(bundle, file.createWriteStream({ flush: true }))
        await rename(part, join(directory, name))
        log.warn({ event: 'work.kept_here', taskId, attempt })
      } finally {
        await rm(part, { force: true })
      }
    },
    stop: async () => {
      stopped = true
      clearTimeout(timer)
      await bringing
    },
  }
}
