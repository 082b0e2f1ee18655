import type { Stage } from './stage.ts'
import { steps } from './steps.ts'
import { beginTask, REPO, type Told } from './tell.ts'

const TIDES = 'https://github.com/lighthouse/tide-tables'
const MINUTE = 60
const HOUR = 60 * MINUTE

/** A person's list as it may look on a good day: one at work, one waiting, and how the last ones ended. */
export async function tellAdasTasks(stage: Stage) {
  const begin = (prompt: string, agoSeconds: number, repoUrl = TIDES) =>
    beginTask(stage, { person: 'Ada', repoUrl, prompt, agoSeconds })
  const stopped = await begin('Try the new test runner, and say whether it is faster', 26 * HOUR, REPO)
  await stopped.take()
  await stopped.tell(
    ...steps.boot(1),
    steps.text(9, "I'll look at how the tests are run now."),
    steps.at(30, 'text.written', {
      text: 'They run one after the other, 41 files in 96 s. The new runner would take',
      cutOff: true,
    }),
  )
  await stopped.end(31, { outcome: 'cancelled', reason: 'cancelled_by_user' })

  const failed = await begin('Upgrade to Node 24 and fix what breaks', 5 * HOUR, REPO)
  await failed.take()
  await failed.tell(
    ...steps.boot(1),
    steps.text(9, "I'll start with the breaking changes in the changelog."),
    steps.used(12, 21_000, 4_100, 4.98),
  )
  await failed.end(612, { outcome: 'failed', reason: 'budget_exceeded' })

  const finished = await tellFinished(await begin('Fix the failing test in the calendar export', 3 * HOUR))
  const working = await begin('Cache the tide tables for a week, and show in the footer how old they are', 134)
  await tellWorking(working)
  const waiting = await begin('Move the nightly export to the new bucket', 40, 'https://github.com/lighthouse/harbour-export')
  const all = { stopped, failed, finished, working, waiting }
  for (const told of Object.values(all)) told.date()
  return all
}

/** A turn with a red test, its cause, the change and the green test. */
async function tellFinished(told: Told): Promise<Told> {
  await told.take()
  await told.tell(
    ...steps.boot(2),
    steps.text(8, "I'll run the tests first, to see the failure."),
    ...steps.bash(10, 'npm test', RED, { exit: 1, seconds: 3.4 }),
    steps.text(
      16,
      'The export writes local times where a calendar expects UTC, so the test fails in every time zone but one. Next: how the times are made.',
    ),
    ...steps.read(18, 'src/export/calendar.js'),
    ...steps.read(19, 'test/calendar.test.js'),
    ...steps.edit(27, 'src/export/calendar.js', OLD, NEW),
    ...steps.bash(32, 'npm test', GREEN, { seconds: 3.1 }),
    steps.used(38, 14_200, 2_350, 0.21),
    steps.pushed(40, 'errand/k3v9/fix-the-failing-test'),
    steps.done(41, ANSWER, { files: 2, insertions: 14, deletions: 5 }),
  )
  await told.keep('patch', PATCH)
  await told.end(42)
  return told
}

async function tellWorking(told: Told): Promise<void> {
  await told.take()
  await told.tell(
    ...steps.boot(2),
    steps.text(9, "The tables are fetched on every page view. I'll check where, and whether anything caches them already."),
    ...steps.plan(
      11,
      ['Find where the tables are fetched', 'done'],
      ['Cache them for a week', 'doing'],
      ['Show their age in the footer', 'open'],
      ['Test both', 'open'],
    ),
    ...steps.bash(
      14,
      'rg -n "fetchTable" src',
      'src/tables/fetch.js:12:export const fetchTable = async (port) => {\nsrc/pages/port.js:31:  const table = await fetchTable(port)\n',
    ),
    ...steps.read(17, 'src/tables/fetch.js'),
    ...steps.read(18, 'src/pages/port.js'),
    steps.text(
      31,
      'Nothing does. I put a cache in front of `fetchTable`:\n\n- it keeps each port’s table for **seven days**\n- it serves an older table when the tide service is down\n- `table.fetchedAt` tells the footer how old the table is',
    ),
    ...steps.write(44, 'src/tables/cache.js', CACHE),
    ...steps.edit(
      58,
      'src/pages/port.js',
      '  const table = await fetchTable(port)\n',
      '  const table = await cachedTable(port)\n',
    ),
    steps.used(70, 18_400, 3_120, 0.34),
    steps.text(121, 'Now the tests of the cache: a fresh table, an eight-day-old one, and a service that is down.'),
    steps.begin(124, 'npm test -- test/cache.test.js'),
  )
}

const RED = `
> tide-tables@2.4.0 test
> node --test

✔ parses a table (4.1 ms)
✔ finds the next high water (1.9 ms)
✖ exports to a calendar (6.8 ms)
  AssertionError [ERR_ASSERTION]: Expected values to be strictly equal:

  + 'DTSTART:20261121T081500'
  - 'DTSTART:20261121T071500Z'

ℹ tests 3
ℹ pass 2
ℹ fail 1
`

const GREEN = `
> tide-tables@2.4.0 test
> node --test

✔ parses a table (3.9 ms)
✔ finds the next high water (1.7 ms)
✔ exports to a calendar (5.2 ms)

ℹ tests 3
ℹ pass 3
ℹ fail 0
`

const OLD = `const stamp = (date) =>
  [date.getFullYear(), date.getMonth() + 1, date.getDate()].map(two).join('') +
  'T' +
  [date.getHours(), date.getMinutes(), 0].map(two).join('')
`
const NEW = `/** RFC 5545, 3.3.5: with a Z it is UTC, whatever zone the reader is in. */
const stamp = (date) =>
  [date.getUTCFullYear(), date.getUTCMonth() + 1, date.getUTCDate()].map(two).join('') +
  'T' +
  [date.getUTCHours(), date.getUTCMinutes(), 0].map(two).join('') +
  'Z'
`

const ANSWER = `The calendar export wrote local times. It now writes UTC, and the test passes.

| What | Before | Now |
| --- | --- | --- |
| \`DTSTART\` | \`T081500\` | \`T071500Z\` |
| Tests | 2 of 3 | 3 of 3 |

I also added a test for the night when the clocks change.`

const CACHE = `import { fetchTable } from './fetch.js'

const WEEK_MS = 7 * 24 * 60 * 60 * 1000
const kept = new Map()

/** The table of a port, at most a week old; an older one only while the tide service does not answer. */
export const cachedTable = async (port, now = Date.now()) => {
  const known = kept.get(port)
  if (known && now - known.fetchedAt < WEEK_MS) return known
  try {
    kept.set(port, { ...(await fetchTable(port)), fetchedAt: now })
  } catch (error) {
    if (!known) throw error
  }
  return kept.get(port)
}
`

export const PATCH = `diff --git a/src/export/calendar.js b/src/export/calendar.js
index 2f1c3aa..9d1e0b7 100644
--- a/src/export/calendar.js
+++ b/src/export/calendar.js
@@ -18,13 +18,15 @@ const fold = (line) => line.replace(/(.{74})/g, '$1\\r\\n ')
 
 const two = (n) => String(n).padStart(2, '0')
 
+/** RFC 5545, 3.3.5: with a Z it is UTC, whatever zone the reader is in. */
 const stamp = (date) =>
-  [date.getFullYear(), date.getMonth() + 1, date.getDate()].map(two).join('') +
+  [date.getUTCFullYear(), date.getUTCMonth() + 1, date.getUTCDate()].map(two).join('') +
   'T' +
-  [date.getHours(), date.getMinutes(), 0].map(two).join('')
+  [date.getUTCHours(), date.getUTCMinutes(), 0].map(two).join('') +
+  'Z'
 
 export const toCalendar = (events) =>
   [
     'BEGIN:VCALENDAR',
     'VERSION:2.0',
     'PRODID:-//tide-tables//EN',
diff --git a/test/calendar.test.js b/test/calendar.test.js
index 5be61f0..c02d7a1 100644
--- a/test/calendar.test.js
+++ b/test/calendar.test.js
@@ -1,6 +1,6 @@
 import assert from 'node:assert/strict'
-import { test } from 'node:test'
+import { describe, test } from 'node:test'
 import { toCalendar } from '../src/export/calendar.js'
 
 const highWater = { at: new Date('2026-11-21T07:15:00Z'), metres: 4.2 }
 
@@ -9,3 +9,9 @@ test('exports to a calendar', () => {
   assert.equal(lines[4], 'DTSTART:20261121T071500Z')
   assert.equal(lines[5], 'SUMMARY:High water 4.2 m')
 })
+
+test('is right in the night when the clocks change', () => {
+  const at = new Date('2026-10-25T01:30:00Z')
+  const lines = toCalendar([{ at, metres: 3.9 }]).split('\\r\\n')
+  assert.equal(lines[4], 'DTSTART:20261025T013000Z')
+})
`
