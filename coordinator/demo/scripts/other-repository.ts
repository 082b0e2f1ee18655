import { cutText } from '../../../contract/shared/characters.ts'
import type { Script } from '../script.ts'
import type { Place } from './look-around.ts'
import { bash, run, write } from './steps.ts'

const NOTE = 'ERRAND-DEMO.md'

/** In any other repository the script looks around, runs the tests, and leaves a note if a change was asked for. */
export function* otherRepository(place: Place, prompt: string): Script {
  const command = testCommandOf(place)
  const output = command
    ? (yield* run({ text: `This looks like the test command: \`${command}\`. I'll run it.` }, bash(command, 'Run the tests')))
        .text
    : null
  const found = command
    ? `I ran \`${command}\`; its output ends with:\n\n${lastLines(output ?? '')}`
    : 'I found no test command that I know.'
  if (!asksForChange(prompt)) return `${found}\n\n${LIMITS_OF_THE_DEMO} I changed nothing.`

  const note = `# A note from Errand's demo model\n\nThe task was:\n\n${quoted(prompt)}\n\n${LIMITS_OF_THE_DEMO}\n`
  const written = yield* run(
    { text: "A demo model can't do this task. I'll leave a note, so that there is a branch to look at." },
    write(`${place.directory}/${NOTE}`, note),
  )
  const end = written.isError ? `I could not write ${NOTE} either.` : `I added ${NOTE} and changed nothing else.`
  return `${found}\n\n${LIMITS_OF_THE_DEMO} ${end}`
}

const LIMITS_OF_THE_DEMO =
  'I am the demo model: a script that shows how a task runs. It cannot do this task. With ANTHROPIC_API_KEY set on the server, Claude does the work.'

function testCommandOf({ files, packageJson }: Place): string | null {
  if (/"test"\s*:/.test(packageJson))
    return /"(?:devD|d)ependencies"\s*:/.test(packageJson) ? `${INSTALL} && npm test` : 'npm test'
  if (files.includes('Cargo.toml')) return 'cargo test'
  if (files.includes('go.mod')) return 'go test ./...'
  if (files.includes('pyproject.toml') || files.includes('pytest.ini')) return 'python3 -m pytest -q'
  if (files.includes('Makefile')) return 'make test'
  return null
}

const INSTALL = '([ -d node_modules ] || npm install --no-audit --no-fund)'

function asksForChange(prompt: string): boolean {
  return /\b(add|change|create|fix|implement|improve|make|mend|migrate|refactor|remove|rename|repair|replace|rewrite|update|upgrade|write)\b/i.test(
    prompt,
  )
}

function lastLines(text: string): string {
  return text
    .trimEnd()
    .split('\n')
    .slice(-8)
    .map((line) => `    ${cutText(line, 200)}`)
    .join('\n')
}

function quoted(text: string): string {
  return text
    .trim()
    .split('\n')
    .slice(0, 20)
    .map((line) => `> ${line}`.trimEnd())
    .join('\n')
}
