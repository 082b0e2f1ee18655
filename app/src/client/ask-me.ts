import type { Me } from '../../../contract/api/api.ts'
import type { Api } from './api.ts'
import type { Outbox } from './outbox.ts'
import type { Drafts } from './storage/drafts.ts'
import { inTime, STORAGE_PATIENCE_MS, type Storage } from './storage/storage.ts'

type Parts = {
  api: Pick<Api, 'findMe'>
  storage: Pick<Storage, 'read' | 'write' | 'clear'>
  drafts: Pick<Drafts, 'clear'>
  outbox: () => Pick<Outbox, 'clear'>
  /** Waits until everything that an earlier run left has been read. If that takes too long, the outbox still sends nothing of another user. */
  restored: () => Promise<void>
}

/** Asks who is signed in, and removes what another user left on this device before it answers. */
export function createAskMe({ api, storage, drafts, outbox, restored }: Parts) {
  return async (): Promise<Me> => {
    const me = await api.findMe()
    await inTime(restored(), STORAGE_PATIENCE_MS, 'the outbox is not restored').catch(() => null)
    const before = await storage.read<string>('user')
    if (before !== null && before !== me.id) {
      outbox().clear()
      drafts.clear()
      await storage.clear()
    }
    await storage.write('user', me.id)
    return me
  }
}
