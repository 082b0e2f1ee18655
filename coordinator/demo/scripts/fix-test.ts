import type { Result, Script } from '../script.ts'
import type { Place } from './look-around.ts'
import { act, bash, edit, lineOf, NOTHING, plain, plan, read, readTestRun, run, SIGNATURE } from './steps.ts'

const STEPS = ['Run the tests and see what fails', 'Find the cause', 'Fix it', 'Run the tests again']

/** Runs the tests, follows the failure to its cause, fixes that, and runs them again. */
export function* fixTest({ directory }: Place): Script {
  const [, output = NOTHING] = yield* act(
    { text: "The README mentions a failing test. I'll run them all first, to see it fail before I touch anything." },
    plan(STEPS, 0),
    bash('npm test', 'Run the tests'),
  )
  const before = readTestRun(output)
  if (!before.failing && before.failed === 0 && before.passed > 0)
    return `All ${before.passed} tests already pass: nothing to fix\n\nI ran \`npm test\` and changed nothing. ${SIGNATURE}`
  if (!before.failing) return cannot('I could not tell from the output of `npm test` which test fails.')

  const { name, file, line } = before.failing
  const testPath = file.startsWith('/') ? file : `${directory}/${file}`
  const [, testFile = NOTHING] = yield* act(
    { text: `One test fails: “${name}”, in ${relative(testPath, directory)}. I'll read what it expects.` },
    plan(STEPS, 1),
    read(testPath),
  )
  const imported = /from '(\.[^']+)'/.exec(plain(testFile))?.[1]
  const expected = expectationIn(testFile, line, output.text)
  if (!imported || !expected) return cannot(`I read ${file}, but could not tell what the test “${name}” checks.`)

  const sourcePath = join(testPath, imported)
  const source = plain(yield* run({ text: `It tests \`${expected.code}\`. I'll open the code behind it.` }, read(sourcePath)))
  const wrong = source.split('\n').find((one) => one.includes(`<= ${expected.value})`))
  if (!wrong) return cannot(`I read ${relative(sourcePath, directory)}, but found no cause there that I could fix.`)

  const fixed = wrong.replace(`<= ${expected.value})`, `< ${expected.value})`)
  yield* act(
    {
      thinking: `The comparison includes ${expected.value}, and the test says that it belongs to the next part of the day. The boundary is off by one; the test is right.`,
      text: `The boundary is off by one: \`${wrong.trim()}\` includes ${expected.value}. I'll fix that line and leave the test as it is.`,
    },
    plan(STEPS, 2),
    edit(sourcePath, wrong, fixed),
  )

  const [, again = NOTHING] = yield* act({}, plan(STEPS, 3), bash('npm test', 'Run the tests again'))
  const after = readTestRun(again)
  if (after.failed > 0 || after.passed === 0)
    return cannot(`I changed \`${wrong.trim()}\` to \`${fixed.trim()}\`, but \`npm test\` still fails: ${after.failed} failed.`)
  yield* act({}, plan(STEPS, 4), bash('git diff --stat', 'See what changed'))
  return [
    `Fix the boundary at ${expected.value} in ${relative(sourcePath, directory)}`,
    '',
    `- Cause: in \`${relative(sourcePath, directory)}\`, \`${wrong.trim()}\` included ${expected.value}.`,
    `- Change: \`${fixed.trim()}\`. The test “${name}” now passes; no test was touched.`,
    `- Checked with \`npm test\`: ${before.failed} of ${before.failed + before.passed} failed before, all ${after.passed} pass now.`,
    '',
    SIGNATURE,
  ].join('\n')
}

type Expectation = { code: string; value: string }

/** The failed assertion: at the line that the stack trace names, or else at the start of the test. */
function expectationIn(testFile: Result, testLine: number, output: string): Expectation | null {
  const failedLine = Number(/\.test\.js:(\d+):\d+\)/.exec(output)?.[1] ?? testLine)
  const [, code, value] = /(\w+\((\d+)\))/.exec(lineOf(testFile, failedLine)) ?? []
  return code && value ? { code, value } : null
}

function cannot(what: string): string {
  return `${what} I am the demo model and follow a script; the rest needs Claude.`
}

function relative(path: string, directory: string): string {
  return path.startsWith(`${directory}/`) ? path.slice(directory.length + 1) : path
}

function join(from: string, relativePath: string): string {
  return new URL(relativePath, `file://${from}`).pathname
}
