import { mkdtempSync } from 'node:fs'
import { registerHooks } from 'node:module'

/*
 * Runs in the coordinator's image: opens, closes and drops databases until the collector has taken some. With the argument `unguarded`, nothing
 * keeps the objects of the driver, as if coordinator/store/sqlite/kept-natives.ts had no effect.
 */
const ENOUGH_COLLECTED = 40
const MOST_OPENED = 400

if (process.argv.includes('unguarded'))
  registerHooks({
    load: (url, context, next) =>
      url.endsWith('/kept-natives.ts')
        ? { format: 'module', shortCircuit: true, source: 'export const keepNatives = (sqlite) => sqlite' }
        : next(url, context),
  })
const { openDatabase, proveReadable } = await import(`${process.cwd()}/coordinator/store/sqlite/database.ts`)

const path = `${mkdtempSync('/tmp/collect-')}/errand.db`
let collected = 0
const registry = new FinalizationRegistry(() => {
  collected += 1
})
for (let opened = 0; collected < ENOUGH_COLLECTED && opened < MOST_OPENED; opened++) {
  const db = await openDatabase(path)
  registry.register(db)
  await proveReadable(db)
  await db.destroy()
  // Objects that die at once: the collector also runs inside of this call, where no JavaScript is entered.
  for (let times = 0; times < 5; times++) Array.from({ length: 50_000 }, (_, index) => ({ index }))
}
console.log(`collected ${collected}`)
