import type { Storage } from './storage.ts'

/** Tasks that open without a network; a phone has other things to keep. */
export const KEPT_FEEDS = 20
/** Where their ids are, the newest first. */
export const KEPT_FEEDS_KEY = 'saved:feeds'

/** This task is the newest that was looked at: the feeds of those that were not for long make room. */
export async function keepNewestFeeds(storage: Pick<Storage, 'list' | 'write' | 'keepOnly'>, taskId: string): Promise<void> {
  const [before = []] = await storage.list<string[]>(KEPT_FEEDS_KEY)
  const newest = [taskId, ...before.filter((id) => id !== taskId)].slice(0, KEPT_FEEDS)
  await storage.write(KEPT_FEEDS_KEY, newest)
  await storage.keepOnly('feed:', newest)
  await storage.keepOnly('saved:task:', newest)
}
