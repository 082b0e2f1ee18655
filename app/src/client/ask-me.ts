import type { Me } from '../../../contract/api/api.ts'
import type { Api } from './api.ts'
import type { Drafts } from './drafts.ts'
import type { Outbox } from './outbox.ts'
import { inTime, type Storage } from './storage.ts'

type Parts = {
  api: Pick<Api, 'me'>
  storage: Pick<Storage, 'read' | 'write' | 'clear'>
  drafts: Pick<Drafts, 'clear'>
  outbox: () => Pick<Outbox, 'clear'>
  /** All that was left on this device must be in sight before it is judged; if it takes too long, the outbox itself sends nothing of another user. */
  restored: () => Promise<void>
}

/** Asks who is signed in. What another user left on this device is removed before the answer is given. */
export function createAskMe({ api, storage, drafts, outbox, restored }: Parts) {
  return async (): Promise<Me> => {
    const me = await api.me()
    await inTime(restored()).catch(() => null)
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
