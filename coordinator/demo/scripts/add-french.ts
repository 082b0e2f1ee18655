import type { Script } from '../script.ts'
import type { Place } from './look-around.ts'
import { act, bash, edit, NOTHING, plain, read, readTestRun, run, SIGNATURE } from './steps.ts'

const FRENCH = "  fr: { night: 'Bonne nuit', morning: 'Bonjour', afternoon: 'Bon après-midi', evening: 'Bonsoir' },\n"

const TEST = `test('greets in French', () => {
  assert.equal(greet('Sophie', { hour: 20, language: 'fr' }), 'Bonsoir, Sophie!')
})

`

/** Adds a language, with a test of its own, as the repository's AGENTS.md asks for. */
export function* addFrench({ directory }: Place): Script {
  const wordsPath = `${directory}/src/greetings.js`
  const testPath = `${directory}/test/greet.test.js`
  const [baseline = NOTHING, words = NOTHING, tests = NOTHING] = yield* act(
    { text: "I'll run the tests for a baseline, and read where the languages and their tests are." },
    bash('npm test', 'Run the tests, for a baseline'),
    read(wordsPath),
    read(testPath),
  )
  const before = readTestRun(baseline)
  const lastLanguage = /^ {2}\w\w: \{.*\},\n(?=\})/m.exec(plain(words))?.[0]
  const anchor = /^test\('says which language it does not know'.*$/m.exec(plain(tests))?.[0]
  if (!lastLanguage || !anchor)
    return 'I am the demo model: the files do not look as my script expects, so I changed nothing. This needs Claude.'
  if (/^ {2}fr:/m.test(plain(words))) return 'I am the demo model. There already is a French greeting, so I changed nothing.'

  yield* act(
    { text: "Every language is one line, and AGENTS.md asks for a test of each. I'll add both." },
    edit(wordsPath, lastLanguage, lastLanguage + FRENCH),
    edit(testPath, anchor, TEST + anchor),
  )
  const after = readTestRun(yield* run({}, bash('npm test', 'Run the tests with the new one')))
  if (after.passed <= before.passed)
    return `I added a French greeting and a test for it, but \`npm test\` shows no new passing test. I am the demo model; please look at it yourself.`
  return [
    'Add a French greeting',
    '',
    '- `src/greetings.js`: the words for `fr`.',
    '- `test/greet.test.js`: a test for them.',
    `- Checked with \`npm test\`: ${after.passed} tests pass; ${before.passed} passed before.`,
    ...(after.failed > 0 ? [`- ${stillFailing(after.failed)}`] : []),
    '',
    SIGNATURE,
  ].join('\n')
}

function stillFailing(failed: number): string {
  return `${failed} ${failed === 1 ? 'test' : 'tests'} failed before my change and still ${failed === 1 ? 'does' : 'do'}: that is unrelated, so I left it alone. Ask me to fix it.`
}
