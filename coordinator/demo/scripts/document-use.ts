import type { Script } from '../script.ts'
import type { Place } from './look-around.ts'
import { bash, edit, plain, read, run, SIGNATURE } from './steps.ts'

const EXAMPLE = "greet('Ada', { hour: 9, language: 'de' })"
const NEXT_SECTION = '## Things to ask for'

/** Documents the package, with an example that it has actually run. */
export function* documentUse({ directory }: Place): Script {
  const readme = `${directory}/README.md`
  const text = plain(yield* run({ text: "I'll read the README and the code that it should describe." }, read(readme)))
  yield* run({}, read(`${directory}/src/greet.js`))
  if (text.includes('## Use')) return 'I am the demo model. The README already says how to use it, so I changed nothing.'
  if (!text.includes(NEXT_SECTION))
    return 'I am the demo model: the README does not look as my script expects, so I changed nothing.'

  const command = `node --input-type=module -e "import { greet } from './src/greet.js'; console.log(${EXAMPLE})"`
  const tried = yield* run(
    { text: "An example in a README should work, so I'll run it before I write it down." },
    bash(command, 'Try the example'),
  )
  const greeting = /^Guten .*!$/m.exec(tried.text)?.[0]
  if (!greeting) return 'I am the demo model: the example I wanted to write down does not run, so I changed nothing.'

  yield* run({}, edit(readme, NEXT_SECTION, `${section(greeting)}\n${NEXT_SECTION}`))
  const seen = yield* run({}, bash('git diff --stat && sed -n "/## Use/,/## Things/p" README.md', 'Read what was written'))
  if (!seen.text.includes(greeting))
    return 'I edited the README, but the new section is not in it. I am the demo model; please look at it yourself.'
  return [
    'Document how to use the package',
    '',
    '- `README.md`: a section “Use” with an example, and the two options with their defaults.',
    `- Checked: I ran the example; it prints \`${greeting}\`. No code was touched.`,
    '',
    SIGNATURE,
  ].join('\n')
}

function section(greeting: string): string {
  return `## Use

\`\`\`js
import { greet } from 'hello'

${EXAMPLE} // ${greeting}
\`\`\`

\`hour\` (0 to 23) defaults to the current hour, and \`language\` to \`en\`.
`
}
