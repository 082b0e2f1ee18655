import type { LiveTask } from './task.ts'

/** Five tasks in which something is wrong. */
export const BUGS: readonly LiveTask[] = [
  {
    name: 'failing-test',
    prompt: 'npm test fails in this repository. Find out why and fix the code, not the test.',
    files: {
      'package.json': '{ "name": "stats", "type": "module", "scripts": { "test": "node --test" } }\n',
      'stats.js': `export function mean(values) {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}

export function median(values) {
  const sorted = values.sort()
  const middle = Math.floor(sorted.length / 2)
  return sorted[middle]
}
`,
      'stats.test.js': `import assert from 'node:assert/strict'
import { test } from 'node:test'
import { median } from './stats.js'

test('the median of an odd count', () => assert.equal(median([3, 1, 2]), 2))
test('the median of an even count', () => assert.equal(median([4, 1, 3, 2]), 2.5))
`,
    },
    hidden: {
      'hidden.mjs': `import assert from 'node:assert/strict'
import { mean, median } from './stats.js'

assert.equal(median([10, 9, 100, 1]), 9.5)
assert.equal(median([2, 10, 1]), 2)
const given = [3, 1, 2]
median(given)
assert.deepEqual(given, [3, 1, 2], 'the caller keeps its list')
assert.equal(mean([1, 2]), 1.5)
`,
    },
    check: 'node hidden.mjs',
    solution: [
      {
        file: 'stats.js',
        old: `  const sorted = values.sort()
  const middle = Math.floor(sorted.length / 2)
  return sorted[middle]`,
        new: `  const sorted = [...values].sort((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2`,
      },
    ],
    verify: 'npm test',
  },
  {
    name: 'csv-quotes',
    prompt:
      'Our CSV import breaks when a field is in quotes: commas inside quotes split the field, "" inside quotes should become one quote, and a quoted field may contain a line break. Files from Windows (CRLF) must work too. Please fix parseCsv.',
    files: {
      'csv.mjs': `/** @returns the rows of a CSV text, each a list of fields */
export function parseCsv(text) {
  return text.trim().split('\\n').map((line) => line.split(','))
}
`,
      'csv.test.mjs': `import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseCsv } from './csv.mjs'

test('plain fields', () => assert.deepEqual(parseCsv('a,b\\n1,2\\n'), [['a', 'b'], ['1', '2']]))
test('quotes', () => assert.deepEqual(parseCsv('"a ""b"", c",d\\n'), [['a "b", c', 'd']]))
`,
    },
    hidden: {
      'hidden.mjs': `import assert from 'node:assert/strict'
import { parseCsv } from './csv.mjs'

assert.deepEqual(parseCsv('a,b\\n1,2\\n'), [['a', 'b'], ['1', '2']])
assert.deepEqual(parseCsv('"x, y",z\\n'), [['x, y', 'z']])
assert.deepEqual(parseCsv('"say ""hi""",2'), [['say "hi"', '2']])
assert.deepEqual(parseCsv('"two\\nlines",b\\nc,d\\n'), [['two\\nlines', 'b'], ['c', 'd']])
assert.deepEqual(parseCsv('a,b\\r\\nc,\\r\\n'), [['a', 'b'], ['c', '']])
assert.deepEqual(parseCsv('"",x\\n'), [['', 'x']])
`,
    },
    check: 'node hidden.mjs',
    // Splits at commas outside quotes, but leaves a doubled quote as it is: the repository's own test says so.
    firstTry: {
      file: 'csv.mjs',
      old: "  return text.trim().split('\\n').map((line) => line.split(','))",
      new: '  return text.trim().split(\'\\n\').map((line) => line.match(/"[^"]*"|[^,]+/g))',
    },
    solution: [
      {
        file: 'csv.mjs',
        old: "  return text.trim().split('\\n').map((line) => line.split(','))",
        new: `  const rows = [['']]
  let quoted = false
  const whole = text.replace(/\\r?\\n$/, '')
  for (let at = 0; at < whole.length; at++) {
    const row = rows.at(-1)
    if (whole[at] === '"' && quoted && whole[at + 1] === '"') row[row.length - 1] += whole[++at]
    else if (whole[at] === '"') quoted = !quoted
    else if (!quoted && whole[at] === ',') row.push('')
    else if (!quoted && whole[at] === '\\n') rows.push([''])
    else if (quoted || whole[at] !== '\\r') row[row.length - 1] += whole[at]
  }
  return rows`,
      },
    ],
    verify: 'node --test',
  },
  {
    name: 'month-end',
    prompt:
      'A customer who subscribed on 31 January was billed on 3 March. addMonths should stay in the month it names and fall back to its last day. Dates are ISO strings like 2026-01-31.',
    files: {
      'billing.mjs': `import { addMonths } from './dates.mjs'

/** @returns the next dates on which a subscription is billed */
export function billingDates(start, count) {
  return Array.from({ length: count }, (_, index) => addMonths(start, index + 1))
}
`,
      'dates.mjs': `/** @param date an ISO date, such as 2026-01-15 */
export function addMonths(date, months) {
  const moved = new Date(date)
  moved.setUTCMonth(moved.getUTCMonth() + months)
  return moved.toISOString().slice(0, 10)
}
`,
    },
    hidden: {
      'hidden.mjs': `import assert from 'node:assert/strict'
import { billingDates } from './billing.mjs'
import { addMonths } from './dates.mjs'

assert.equal(addMonths('2026-01-31', 1), '2026-02-28')
assert.equal(addMonths('2028-01-31', 1), '2028-02-29')
assert.equal(addMonths('2026-03-31', -1), '2026-02-28')
assert.equal(addMonths('2026-10-31', 13), '2027-11-30')
assert.equal(addMonths('2026-12-15', 1), '2027-01-15')
assert.deepEqual(billingDates('2026-01-31', 3), ['2026-02-28', '2026-03-31', '2026-04-30'])
`,
    },
    check: 'node hidden.mjs',
    solution: [
      {
        file: 'dates.mjs',
        old: `  moved.setUTCMonth(moved.getUTCMonth() + months)
`,
        new: `  const day = moved.getUTCDate()
  moved.setUTCDate(1)
  moved.setUTCMonth(moved.getUTCMonth() + months)
  const last = new Date(Date.UTC(moved.getUTCFullYear(), moved.getUTCMonth() + 1, 0)).getUTCDate()
  moved.setUTCDate(Math.min(day, last))
`,
      },
    ],
    verify: `node -e "import('./dates.mjs').then(({ addMonths }) => console.log(addMonths('2026-01-31', 1)))"`,
  },
  {
    name: 'shell-spaces',
    prompt:
      'backup.sh skips or mangles files with spaces in their names. It should copy every .txt file below the first folder into the second one. Keep it POSIX sh.',
    files: {
      'backup.sh': `#!/bin/sh
# Copies every .txt file below FROM into TO: backup.sh FROM TO
mkdir -p $2
for file in $(find $1 -name '*.txt'); do
  cp $file $2
done
`,
    },
    hidden: {
      'hidden.sh': `set -eu
from=$(mktemp -d)
mkdir -p "$from/in here"
echo 1 > "$from/plain.txt"
echo 2 > "$from/two words.txt"
echo 3 > "$from/in here/a  *.txt"
echo 4 > "$from/not this.md"
sh backup.sh "$from" "$from/to there"
[ "$(cat "$from/to there/plain.txt")" = 1 ]
[ "$(cat "$from/to there/two words.txt")" = 2 ]
[ "$(cat "$from/to there/a  *.txt")" = 3 ]
[ "$(ls "$from/to there" | wc -l)" -eq 3 ]
rm -r "$from"
`,
    },
    check: 'sh hidden.sh',
    solution: [
      {
        file: 'backup.sh',
        old: `mkdir -p $2
for file in $(find $1 -name '*.txt'); do
  cp $file $2
done
`,
        new: `set -eu
mkdir -p "$2"
find "$1" -name '*.txt' ! -path "$2/*" -exec cp {} "$2" \\;
`,
      },
    ],
    verify: 'mkdir -p "/tmp/a b" && echo x > "/tmp/a b/c d.txt" && sh backup.sh "/tmp/a b" "/tmp/e f" && ls "/tmp/e f"',
  },
  {
    name: 'config-order',
    prompt:
      'Settings do not come from where the README says. Also, setting retries to 0 or verbose to false in config.json has no effect. Fix loadSettings.',
    files: {
      'README.md': `# Settings

A setting comes from the first of these that has it: the environment (APP_RETRIES, APP_VERBOSE), config.json, the defaults.
APP_VERBOSE is \`true\` or \`false\`, APP_RETRIES a number.
`,
      'settings.mjs': `const DEFAULTS = { retries: 3, verbose: true }

/**
 * @param file what config.json holds
 * @param env the environment
 */
export function loadSettings(file, env) {
  return {
    retries: file.retries || Number(env.APP_RETRIES) || DEFAULTS.retries,
    verbose: file.verbose || Boolean(env.APP_VERBOSE) || DEFAULTS.verbose,
  }
}
`,
    },
    hidden: {
      'hidden.mjs': `import assert from 'node:assert/strict'
import { loadSettings } from './settings.mjs'

assert.deepEqual(loadSettings({}, {}), { retries: 3, verbose: true })
assert.deepEqual(loadSettings({ retries: 0, verbose: false }, {}), { retries: 0, verbose: false })
assert.deepEqual(loadSettings({ retries: 5, verbose: true }, { APP_RETRIES: '0', APP_VERBOSE: 'false' }), { retries: 0, verbose: false })
assert.deepEqual(loadSettings({ retries: 5 }, { APP_RETRIES: '7' }), { retries: 7, verbose: true })
`,
    },
    check: 'node hidden.mjs',
    solution: [
      {
        file: 'settings.mjs',
        old: `    retries: file.retries || Number(env.APP_RETRIES) || DEFAULTS.retries,
    verbose: file.verbose || Boolean(env.APP_VERBOSE) || DEFAULTS.verbose,
`,
        new: `    retries: env.APP_RETRIES === undefined ? (file.retries ?? DEFAULTS.retries) : Number(env.APP_RETRIES),
    verbose: env.APP_VERBOSE === undefined ? (file.verbose ?? DEFAULTS.verbose) : env.APP_VERBOSE === 'true',
`,
      },
    ],
    verify: `node -e "import('./settings.mjs').then(({ loadSettings }) => console.log(loadSettings({ retries: 0 }, {})))"`,
  },
]
