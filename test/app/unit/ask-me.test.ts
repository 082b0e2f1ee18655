import { describe, expect, it, jest } from '@jest/globals'
import { createAskMe } from '../../../app/src/client/ask-me.ts'
import type { Me } from '../../../contract/api/api.ts'

describe('asking who is signed in', () => {
  it('leaves nothing of one user to the next on the same device, and all to the same one', async () => {
    let id = 'usr_ada'
    const kept = new Map<string, unknown>()
    const cleared: string[] = []
    const askMe = createAskMe({
      api: { findMe: async () => ({ id }) as Me },
      storage: {
        read: async <T>(key: string) => (kept.get(key) ?? null) as T | null,
        write: async (key, value) => void kept.set(key, value),
        clear: async () => {
          cleared.push('storage')
          kept.clear()
        },
      },
      drafts: { clear: () => void cleared.push('drafts') },
      outbox: () => ({ clear: () => void cleared.push('outbox') }),
      restored: async () => undefined,
    })
    for (id of ['usr_ada', 'usr_ada']) expect((await askMe()).id).toBe('usr_ada')
    expect(cleared).toEqual([])
    id = 'usr_bob'
    await askMe()
    expect(cleared).toEqual(['outbox', 'drafts', 'storage'])
    await askMe()
    expect(cleared).toHaveLength(3)
  })

  it('does not wait for a device that never answers', async () => {
    jest.useFakeTimers()
    const asked = createAskMe({
      api: { findMe: async () => ({ id: 'usr_ada' }) as Me },
      storage: { read: async () => null, write: async () => undefined, clear: async () => undefined },
      drafts: { clear: () => undefined },
      outbox: () => ({ clear: () => undefined }),
      restored: () => new Promise(() => {}),
    })()
    let answered = false
    void asked.then(() => (answered = true))
    await jest.advanceTimersByTimeAsync(5_000)
    jest.useRealTimers()
    expect(answered).toBe(true)
  })
})
