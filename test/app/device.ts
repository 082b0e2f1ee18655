import type { Page } from 'playwright-core'

const inStore = (mode: 'readonly' | 'readwrite', act: string) => `new Promise((resolve) => {
  const opened = indexedDB.open('keyval-store')
  opened.onsuccess = () => {
    const store = opened.result.transaction('keyval', '${mode}').objectStore('keyval')
    ${act}
  }
})`

/** What the app keeps on the device under this key, or null. */
export const savedOn = <T>(page: Page, key: string): Promise<T | null> =>
  page.evaluate<T | null>(
    inStore('readonly', `store.get(${JSON.stringify(key)}).onsuccess = ({ target }) => resolve(target.result ?? null)`),
  )

/** Everything that has a place there. */
export const keysOn = (page: Page): Promise<string[]> =>
  page.evaluate<string[]>(inStore('readonly', 'store.getAllKeys().onsuccess = ({ target }) => resolve(target.result)'))

/** Puts something in its place there. */
export const saveOn = (page: Page, key: string, value: unknown): Promise<unknown> =>
  page.evaluate(
    inStore('readwrite', `store.put(${JSON.stringify(value)}, ${JSON.stringify(key)}).transaction.oncomplete = resolve`),
  )

/** Of the user's tasks nothing is left there. */
export const forgetTasks = (page: Page): Promise<unknown> =>
  page.evaluate(
    inStore(
      'readwrite',
      `store.delete(IDBKeyRange.bound('feed:', 'feed;'))
    store.delete(IDBKeyRange.bound('saved:task:', 'saved:tasks')).transaction.oncomplete = resolve`,
    ),
  )
