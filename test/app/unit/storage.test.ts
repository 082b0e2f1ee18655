import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals'
import { createDrafts, type LocalStore } from '../../../app/src/client/storage/drafts.ts'
import { KEPT_FEEDS, keepNewestFeeds } from '../../../app/src/client/storage/saved-answers.ts'
import type { createStorage } from '../../../app/src/client/storage/storage.ts'

/** As much of IndexedDB as is asked for here, with a disk that takes so many values. */
function fakeIndexedDb(room: number, kept = new Map<string, unknown>()) {
  const read: string[] = []
  const done = <T>(result: T) => {
    const request = { result } as { result: T; onsuccess?: () => void }
    queueMicrotask(() => request.onsuccess?.())
    return request
  }
  const transaction = () => {
    const outcome: { error: Error | null; oncomplete?: () => void; onabort?: () => void } = { error: null }
    queueMicrotask(() => (outcome.error ? outcome.onabort?.() : outcome.oncomplete?.()))
    const store = {
      transaction: outcome,
      get: (key: string) => {
        read.push(key)
        return done(kept.get(key))
      },
      getAll: () => {
        read.push(...kept.keys())
        return done([...kept.values()])
      },
      getAllKeys: () => done([...kept.keys()]),
      put: (value: unknown, key: string) => {
        if (kept.has(key) || kept.size < room) kept.set(key, structuredClone(value))
        else outcome.error = new DOMException('full', 'QuotaExceededError')
      },
      delete: (key: string) => void kept.delete(key),
      clear: () => void kept.clear(),
    }
    return { objectStore: () => store }
  }
  return { kept, read, open: () => done({ transaction }) }
}
function install(indexedDB: unknown) {
  return Object.assign(globalThis, { indexedDB })
}

describe('the storage', () => {
  beforeEach(() => void jest.resetModules())
  afterEach(() => void Reflect.deleteProperty(globalThis, 'indexedDB'))
  /** A fresh copy: the library keeps its connection. */
  const open = async (): Promise<ReturnType<typeof createStorage>> =>
    (await import('../../../app/src/client/storage/storage.ts')).createStorage()

  it('keeps in the page what a browser without any does not, and says so as long as it does', async () => {
    const storage = await open()
    expect(await storage.read('user')).toBeNull()
    await storage.write('outbox:1', { text: 'unsent' })
    expect(storage.full.get()).toBe(true)
    expect(await storage.read('outbox:1')).toEqual({ text: 'unsent' })
    expect(await storage.list('outbox:')).toEqual([{ text: 'unsent' }])
    await storage.remove('outbox:1')
    expect(storage.full.get()).toBe(false)
    expect(await storage.list('outbox:')).toEqual([])
  })

  it('outlives a browser whose storage throws, and one that does not answer', async () => {
    for (const open_ of [
      () => {
        throw new DOMException('forbidden', 'SecurityError')
      },
      () => ({}),
    ]) {
      install({ open: open_ })
      jest.resetModules()
      const storage = await open()
      jest.useFakeTimers()
      const written = storage.write('outbox:1', 1)
      const read = storage.read('other')
      await jest.advanceTimersByTimeAsync(20_000)
      jest.useRealTimers()
      await written
      expect(await read).toBeNull()
      expect(storage.full.get()).toBe(true)
    }
  })

  it('gives up what the server has too when the disk is full, and never what it has not', async () => {
    const disk = fakeIndexedDb(3)
    install(disk)
    const storage = await open()
    await storage.write('outbox:1', 'one')
    await storage.write('feed:a', 'a')
    await storage.write('saved:tasks', 't')
    await storage.write('feed:b', 'b')
    expect([...disk.kept.keys()]).toEqual(['outbox:1', 'feed:a', 'saved:tasks'])
    await storage.write('outbox:2', 'two')
    await storage.write('outbox:3', 'three')
    expect([...disk.kept.keys()]).toEqual(['outbox:1', 'outbox:2', 'outbox:3'])
    expect(storage.full.get()).toBe(false)
    await storage.write('outbox:4', 'four')
    expect(storage.full.get()).toBe(true)
    expect(await storage.list('outbox:')).toEqual(['one', 'two', 'three', 'four'])
    await storage.remove('outbox:1')
    await storage.write('outbox:4', 'four')
    expect(storage.full.get()).toBe(false)
  })
})

describe('a start after months', () => {
  beforeEach(() => void jest.resetModules())
  const open = async () => (await import('../../../app/src/client/storage/storage.ts')).createStorage()

  it('reads what was not sent, and nothing of all that is kept beside it', async () => {
    const disk = fakeIndexedDb(
      1_000,
      new Map([
        ['feed:a', 'many events'],
        ['outbox:1', 'unsent'],
        ['saved:tasks', 'many tasks'],
      ]),
    )
    install(disk)
    expect(await (await open()).list('outbox:')).toEqual(['unsent'])
    expect(disk.read).toEqual(['outbox:1'])
  })

  it('finds what was not sent however long the browser takes', async () => {
    const disk = fakeIndexedDb(1_000, new Map([['outbox:1', 'unsent']]))
    const late: { onsuccess?: () => void; result?: unknown } = {}
    install({ open: () => late })
    const storage = await open()
    jest.useFakeTimers()
    const listed = storage.list('outbox:')
    await jest.advanceTimersByTimeAsync(60_000)
    late.result = disk.open().result
    late.onsuccess?.()
    jest.useRealTimers()
    expect(await listed).toEqual(['unsent'])
  })

  it('finds the feeds that were looked at last, and no more', async () => {
    const disk = fakeIndexedDb(1_000, new Map([['outbox:1', 'unsent']]))
    install(disk)
    const storage = await open()
    const ids = Array.from({ length: KEPT_FEEDS + 3 }, (_, n) => `t${n}`)
    for (const id of [...ids, 't3']) {
      await storage.write(`feed:${id}`, id)
      await storage.write(`saved:task:${id}`, id)
      await keepNewestFeeds(storage, id)
    }
    expect((await storage.list<string>('feed:')).sort()).toEqual(ids.slice(3).sort())
    expect(await storage.list('saved:task:')).toHaveLength(KEPT_FEEDS)
    expect(await storage.list('outbox:')).toEqual(['unsent'])
  })
})

describe('drafts', () => {
  it('live in the page when the browser takes no more, and say so as long as they do', () => {
    let room = true
    const kept = new Map<string, string>()
    const store = {
      getItem: (key: string) => kept.get(key) ?? null,
      removeItem: (key: string) => void kept.delete(key),
      setItem: (key: string, value: string) => {
        if (!room) throw new DOMException('full', 'QuotaExceededError')
        kept.set(key, value)
      },
    } satisfies LocalStore
    const drafts = createDrafts(() => store)
    drafts.write('new', 'half')
    expect(drafts.full.get()).toBe(false)
    room = false
    drafts.write('new', 'half a thought')
    expect([drafts.read('new'), drafts.full.get()]).toEqual(['half a thought', true])
    drafts.write('new', '')
    expect([drafts.read('new'), drafts.full.get()]).toEqual(['', false])
  })

  it('live in the page when the browser forbids to keep anything', () => {
    const drafts = createDrafts(() => {
      throw new DOMException('forbidden', 'SecurityError')
    })
    drafts.write('task:1', 'words')
    expect([drafts.read('task:1'), drafts.full.get()]).toEqual(['words', true])
    drafts.clear()
    expect([drafts.read('task:1'), drafts.full.get()]).toEqual(['', false])
  })

  it('takes back what was sent below what was typed since, once, and tells whoever shows it', () => {
    const kept = new Map<string, string>()
    const drafts = createDrafts(() => ({
      getItem: (key) => kept.get(key) ?? null,
      removeItem: (key) => void kept.delete(key),
      setItem: (key, value) => void kept.set(key, value),
    }))
    const told: unknown[] = []
    drafts.replaced.subscribe(() => told.push(drafts.replaced.get()))
    drafts.write('new', 'new words')
    for (let time = 0; time < 2; time++) drafts.add('new', 'sent before')
    expect([drafts.read('new'), told]).toEqual(['new words\n\nsent before', [{ place: 'new' }]])
  })
})
