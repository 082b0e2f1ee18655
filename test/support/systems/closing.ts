import { afterEach, beforeEach } from '@jest/globals'
import { temporaryFolder } from './temporary.ts'

type Closer = () => unknown

/**
 * Has what a test opened closed after it, the last one first. Each is tried, also when another fails.
 * @returns the list that tests push their closers on
 */
export function closeAfterEach(): Closer[] {
  const closers: Closer[] = []
  afterEach(async () => {
    const faults: unknown[] = []
    for (const close of closers.splice(0).reverse())
      try {
        await close()
      } catch (fault) {
        faults.push(fault)
      }
    if (faults.length > 0) throw new AggregateError(faults, `of what the test opened could not be closed: ${faults.join('; ')}`)
  })
  return closers
}

/** A folder for each test, removed after it, and before what later hooks close. @returns the one of the current test */
export function folderForEach(): { readonly path: string } {
  let folder = { path: '', remove: async () => undefined as unknown }
  beforeEach(async () => {
    folder = await temporaryFolder()
  })
  afterEach(() => folder.remove())
  return {
    get path() {
      return folder.path
    },
  }
}
