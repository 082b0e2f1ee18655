import type { Script } from '../script.ts'
import { act, bash, NOTHING, plain, read, run } from './steps.ts'

export type Place = {
  /** Absolute path of the work tree, as the shell prints it. */
  directory: string
  files: readonly string[]
  /** Text of package.json; empty when there is none. */
  packageJson: string
  isDemo: boolean
}

/** Finds out where it is and which files exist. */
export function* lookAround(): Script<Place> {
  const listing = yield* run(
    {
      thinking: 'I do not know this repository yet. First: where am I, what was done last, and which files are there?',
      text: "I'm Errand's built-in demo model, not Claude. I follow a small script, but everything I do here is real. Let me look around first.",
    },
    bash('pwd && git log --oneline -5 && ls -A', 'Look around'),
  )
  const directory = /^\/\S+$/m.exec(listing.text)?.[0] ?? '.'
  const files = listing.text.split('\n').map((line) => line.trim())
  const worthReading = ['package.json', 'README.md'].filter((name) => files.includes(name))
  if (worthReading.length === 0) return { directory, files, packageJson: '', isDemo: false }
  const results = yield* act({}, ...worthReading.map((name) => read(`${directory}/${name}`)))
  const textOf = (name: string) => plain(results[worthReading.indexOf(name)] ?? NOTHING)
  const isDemo = textOf('package.json').includes('"name": "hello"') && textOf('README.md').includes('trying Errand out')
  return { directory, files, packageJson: textOf('package.json'), isDemo }
}
