import { setImmediate as pause } from 'node:timers/promises'
import type { Logger } from 'pino'
import type { Artifacts } from '../artifacts/artifacts.ts'
import type { Config } from '../process/config.ts'
import type { DiskSpace } from '../process/disk-space.ts'
import { type Loop, startLoop } from '../process/loop.ts'
import { expireArtifacts, listDeleted, removeSome } from '../store/deleted-tasks.ts'
import type { Ledger } from '../store/ledger.ts'
import type { Store } from '../store/sqlite/database.ts'
import { giveSpaceBack } from '../store/sqlite/vacuum.ts'
import { deleteEndedBefore } from '../tasks/delete-task.ts'

export type HousekeepingParts = {
  db: Store
  ledger: Ledger
  artifacts: Artifacts
  disk: DiskSpace
  limits: Config['storage']
  log: Logger
  now?: () => number
}

/** How soon the removal of a deleted task begins. */
const LOOK_EVERY_MS = 5_000
/** What is old is looked for less often: it costs a look at every artifact. */
const CLEAN_EVERY_MS = 60 * 60_000
const DAY_MS = 24 * 60 * 60_000

/**
 * Removes what was deleted, what has been kept long enough, and what a killed process left, in steps so small that nobody waits for them.
 * The first pass begins soon after the start.
 */
export function startHousekeeping(parts: HousekeepingParts): Pick<Loop, 'stop'> {
  let stopped = false
  let cleanedAt = Number.NEGATIVE_INFINITY
  const mayGoOn = async () => {
    await pause()
    return !stopped
  }
  const loop = startLoop({
    work: async () => {
      await removeDeleted(parts, mayGoOn)
      if (performance.now() - cleanedAt < CLEAN_EVERY_MS || stopped) return
      cleanedAt = performance.now()
      await clean(parts, mayGoOn)
    },
    onError: (error) => parts.log.error({ event: 'housekeeping.failed', err: error }),
    everyMs: LOOK_EVERY_MS,
  })
  loop.wake()
  return {
    stop: () => {
      stopped = true
      return loop.stop()
    },
  }
}

/** Resolves before each further step. @returns false when the server stops */
type MayGoOn = () => Promise<boolean>

/** One whole pass over what is old and what is left over. */
export async function clean(parts: HousekeepingParts, mayGoOn: MayGoOn = async () => true): Promise<void> {
  const { artifacts, limits, log, now = Date.now } = parts
  const before = (days: number) => (days === 0 ? null : now() - days * DAY_MS)
  const outputs = await expire(parts, 'output.', before(limits.outputDays), mayGoOn)
  const bundles = await expire(parts, 'bundle', before(limits.bundleDays), mayGoOn)
  const tasks = await deleteEndedBefore(parts, before(limits.taskDays), mayGoOn)
  const orphans = await artifacts.sweep()
  if (outputs + bundles + tasks + orphans > 0) log.info({ event: 'storage.cleaned', outputs, bundles, tasks, orphans })
  await removeDeleted(parts, mayGoOn)
  if (!(await mayGoOn())) return
  const { freeBytes, floorBytes } = await parts.disk.look()
  const given = await giveSpaceBack(parts.db, freeBytes - floorBytes)
  if (given) log.info({ event: 'database.vacuumed', ...given })
}

async function removeDeleted({ db, artifacts, log }: HousekeepingParts, mayGoOn: MayGoOn): Promise<void> {
  for (;;) {
    const taskIds = await listDeleted(db)
    if (taskIds.length === 0) return
    for (const taskId of taskIds) {
      for (let files = null; files === null; ) {
        if (!(await mayGoOn())) return
        files = await removeSome(db, taskId)
        if (files) await artifacts.removeFiles(files)
      }
      log.info({ event: 'task.removed', taskId })
    }
  }
}

async function expire(
  { db, artifacts }: HousekeepingParts,
  kinds: 'output.' | 'bundle',
  before: number | null,
  mayGoOn: MayGoOn,
): Promise<number> {
  let count = 0
  while (before !== null && (await mayGoOn())) {
    const files = await expireArtifacts(db, kinds, before)
    if (files.length === 0) break
    count += files.length
    await artifacts.removeFiles(files)
  }
  return count
}
