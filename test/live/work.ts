import type { LiveTask } from './task.ts'

const INVOICE = `/** @param items name and price in cents */
export function invoice(items) {
  const lines = items.map(({ name, cents }) => {
    const sign = cents < 0 ? '-' : ''
    const price = sign + '€' + (Math.abs(cents) / 100).toFixed(2).replace(/\\B(?=(\\d{3})+(?!\\d))/g, ',')
    return \`\${name}: \${price}\`
  })
  return lines.join('\\n')
}
`

const RECEIPT = `export function receipt(cents) {
  const sign = cents < 0 ? '-' : ''
  const price = sign + '€' + (Math.abs(cents) / 100).toFixed(2).replace(/\\B(?=(\\d{3})+(?!\\d))/g, ',')
  return \`Paid: \${price}. Thank you!\`
}
`

/** Four tasks that ask for something new or for order, and a question. */
export const WORK: readonly LiveTask[] = [
  {
    name: 'cli-flag',
    prompt:
      'Add a --json flag to wc.mjs: it should print {"lines": …, "words": …} on one line. Without the flag the output stays as it is. An unknown flag should be an error with exit code 2.',
    files: {
      'wc.mjs': `import { readFileSync } from 'node:fs'

const [file] = process.argv.slice(2)
const text = readFileSync(file, 'utf8')
const lines = text.split('\\n').length - 1
const words = text.split(/\\s+/).filter(Boolean).length
console.log(\`\${lines} \${words}\`)
`,
    },
    hidden: {
      'hidden.mjs': `import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'

const run = (...args) => spawnSync(process.execPath, ['wc.mjs', ...args], { encoding: 'utf8' })
assert.equal(run('hidden.txt').stdout, '2 3\\n')
for (const args of [['--json', 'hidden.txt'], ['hidden.txt', '--json']]) assert.deepEqual(JSON.parse(run(...args).stdout), { lines: 2, words: 3 })
assert.equal(run('--yaml', 'hidden.txt').status, 2)
`,
      'hidden.txt': 'one two\nthree\n',
    },
    check: 'node hidden.mjs',
    solution: [
      {
        file: 'wc.mjs',
        old: 'const [file] = process.argv.slice(2)\n',
        new: `const given = process.argv.slice(2)
const unknown = given.find((word) => word.startsWith('--') && word !== '--json')
if (unknown) {
  console.error(\`wc.mjs: unknown flag \${unknown}\`)
  process.exit(2)
}
const [file] = given.filter((word) => word !== '--json')
`,
      },
      {
        file: 'wc.mjs',
        // biome-ignore lint/suspicious/noTemplateCurlyInString: it is a program's text
        old: 'console.log(`${lines} ${words}`)\n',
        // biome-ignore lint/suspicious/noTemplateCurlyInString: it is a program's text
        new: "console.log(given.includes('--json') ? JSON.stringify({ lines, words }) : `${lines} ${words}`)\n",
      },
    ],
    verify: 'node wc.mjs wc.mjs && node wc.mjs --json wc.mjs',
  },
  {
    name: 'python-feature',
    prompt:
      'slugify should also understand accents ("Crème brûlée" → "creme-brulee") and take an optional max_length that never cuts a word in two. One word alone that is too long may be cut.',
    files: {
      'slugs.py': `import re


def slugify(text):
    """Makes a title fit for an address: lower case, words joined by hyphens."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")
`,
      'test_slugs.py': `import unittest
from slugs import slugify


class Slugs(unittest.TestCase):
    def test_words(self):
        self.assertEqual(slugify("Hello,  World!"), "hello-world")


if __name__ == "__main__":
    unittest.main()
`,
    },
    hidden: {
      'hidden.py': `from slugs import slugify

assert slugify("Hello,  World!") == "hello-world"
assert slugify("Crème brûlée") == "creme-brulee"
assert slugify("Ångström") == "angstrom"
assert slugify("one two three", max_length=9) == "one-two"
assert slugify("one two three", max_length=7) == "one-two"
assert slugify("one two three", max_length=13) == "one-two-three"
assert slugify("incomprehensible", max_length=5) == "incom"
assert slugify("") == ""
`,
    },
    check: 'python3 -B hidden.py',
    solution: [
      { file: 'slugs.py', old: 'import re\n', new: 'import re\nimport unicodedata\n' },
      {
        file: 'slugs.py',
        old: `def slugify(text):
    """Makes a title fit for an address: lower case, words joined by hyphens."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")
`,
        new: `def slugify(text, max_length=None):
    """Makes a title fit for an address: lower case, no accents, words joined by hyphens, at most max_length characters of whole words."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    slug = re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-")
    if max_length is None or len(slug) <= max_length:
        return slug
    cut = slug[: max_length + 1]
    return cut.rsplit("-", 1)[0] if "-" in cut else slug[:max_length]
`,
      },
    ],
    verify: 'python3 -m unittest',
  },
  {
    name: 'refactoring',
    prompt:
      'invoice.mjs and receipt.mjs format money with the same copied code. Move it into money.mjs as formatMoney(cents) and use it in both. The output must stay exactly the same.',
    files: {
      'invoice.mjs': INVOICE,
      'receipt.mjs': RECEIPT,
    },
    hidden: {
      'hidden.mjs': `import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { invoice } from './invoice.mjs'
import { formatMoney } from './money.mjs'
import { receipt } from './receipt.mjs'

assert.equal(formatMoney(123456789), '€1,234,567.89')
assert.equal(formatMoney(-5), '-€0.05')
assert.equal(invoice([{ name: 'Tea', cents: 250 }, { name: 'Cup', cents: -100 }]), 'Tea: €2.50\\nCup: -€1.00')
assert.equal(receipt(100000), 'Paid: €1,000.00. Thank you!')
for (const file of ['invoice.mjs', 'receipt.mjs']) assert.doesNotMatch(readFileSync(file, 'utf8'), /toFixed/)
`,
    },
    check: 'node hidden.mjs',
    solution: [
      {
        file: 'money.mjs',
        new: `/** @returns an amount in euros, with the thousands apart */
export function formatMoney(cents) {
  const sign = cents < 0 ? '-' : ''
  return sign + '€' + (Math.abs(cents) / 100).toFixed(2).replace(/\\B(?=(\\d{3})+(?!\\d))/g, ',')
}
`,
      },
      {
        file: 'invoice.mjs',
        old: INVOICE,
        new: `import { formatMoney } from './money.mjs'

/** @param items name and price in cents */
export function invoice(items) {
  return items.map(({ name, cents }) => \`\${name}: \${formatMoney(cents)}\`).join('\\n')
}
`,
      },
      {
        file: 'receipt.mjs',
        old: RECEIPT,
        new: `import { formatMoney } from './money.mjs'

export function receipt(cents) {
  return \`Paid: \${formatMoney(cents)}. Thank you!\`
}
`,
      },
    ],
    verify: `node -e "import('./receipt.mjs').then(({ receipt }) => console.log(receipt(100000)))"`,
  },
  {
    name: 'docs-and-code',
    prompt:
      'What docs/retry.md promises and what retry.mjs does are two different things. The page is what we told customers, so make the code do what it says. Leave the page alone.',
    files: {
      'docs/retry.md': `# Retries

\`retry(work)\` tries at most four times. It waits before each further try: 100 ms, then twice as long each time.
When the last try fails, \`retry\` throws that try's error. An error with \`fatal: true\` is thrown at once.
`,
      'retry.mjs': `import { setTimeout as pause } from 'node:timers/promises'

/** See docs/retry.md. @param wait for tests */
export async function retry(work, wait = pause) {
  for (let tries = 0; tries < 3; tries++) {
    try {
      return await work()
    } catch {
      await wait(100)
    }
  }
  return null
}
`,
    },
    hidden: {
      'hidden.mjs': `import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { retry } from './retry.mjs'

const waits = []
let tries = 0
const fails = async () => { throw Object.assign(new Error(\`try \${++tries}\`), { fatal: tries === 9 }) }
await assert.rejects(retry(fails, async (ms) => waits.push(ms)), /^Error: try 4$/)
assert.deepEqual(waits, [100, 200, 400])
tries = 8
await assert.rejects(retry(fails, async (ms) => waits.push(ms)), /^Error: try 9$/)
assert.deepEqual([tries, waits.length], [9, 3])
assert.equal(await retry(async () => 'well'), 'well')
assert.match(readFileSync('docs/retry.md', 'utf8'), /at most four times[^]*100 ms, then twice as long/)
`,
    },
    check: 'node hidden.mjs',
    solution: [
      {
        file: 'retry.mjs',
        old: `  for (let tries = 0; tries < 3; tries++) {
    try {
      return await work()
    } catch {
      await wait(100)
    }
  }
  return null
`,
        new: `  for (let tries = 1; ; tries++) {
    try {
      return await work()
    } catch (error) {
      if (tries === 4 || error?.fatal === true) throw error
      await wait(100 * 2 ** (tries - 1))
    }
  }
`,
      },
    ],
    verify: `node -e "import('./retry.mjs').then(({ retry }) => retry(() => { throw new Error('no') })).catch(console.log)"`,
  },
  {
    name: 'question',
    prompt:
      'Which environment variable sets how large an upload may be, what is its unit, and how large may one be if I set nothing? Just answer, please do not change anything.',
    files: {
      'README.md': '# Files\n\nA small server for files. Its settings are in `server/limits.mjs`.\n',
      'server/limits.mjs': `const MEGABYTE = 1024 * 1024

export function limits(env) {
  return {
    requestsPerMinute: Number(env.FILES_RATE ?? 60),
    uploadBytes: Number(env.FILES_MAX_UPLOAD_MB ?? 25) * MEGABYTE,
  }
}
`,
    },
    answer: [/FILES_MAX_UPLOAD_MB/, /\b25\b/, /\bMB\b|megabyte|MiB/i],
    solution: [],
    verify: 'grep -rn UPLOAD server',
  },
]
