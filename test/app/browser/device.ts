import type { Page } from 'playwright-core'

function inStore(mode: 'readonly' | 'readwrite', act: string) {
  return `new Promise((resolve) => {
  const opened = indexedDB.open('keyval-store')
  opened.onsuccess = () => {
    const store = opened.result.transaction('keyval', '${mode}').objectStore('keyval')
    ${act}
  }
})`
}

/** What the app keeps on the device under this key, or null. */
export function savedOn<T>(page: Page, key: string): Promise<T | null> {
  return page.evaluate<T | null>(
    inStore('readonly', `store.get(${JSON.stringify(key)}).onsuccess = ({ target }) => resolve(target.result ?? null)`),
  )
}

/** Everything that has a place there. */
export function keysOn(page: Page): Promise<string[]> {
  return page.evaluate<string[]>(inStore('readonly', 'store.getAllKeys().onsuccess = ({ target }) => resolve(target.result)'))
}

/** Puts something in its place there. */
export function saveOn(page: Page, key: string, value: unknown): Promise<unknown> {
  return page.evaluate(
    inStore('readwrite', `store.put(${JSON.stringify(value)}, ${JSON.stringify(key)}).transaction.oncomplete = resolve`),
  )
}

/** Of the user's tasks nothing is left there. The page leaves the app for a picture of it: the app would save what it still has in hand. */
export async function forgetTasks(page: Page): Promise<void> {
  await page.goto(new URL('/icons/mark.svg', page.url()).href)
  await page.evaluate(
    inStore(
      'readwrite',
      `store.delete(IDBKeyRange.bound('feed:', 'feed;'))
    store.delete(IDBKeyRange.bound('saved:task:', 'saved:tasks')).transaction.oncomplete = resolve`,
    ),
  )
}
