import type { Script } from '../policy.ts'
import { addFrench } from './add-french.ts'
import { documentUse } from './document-use.ts'
import { fixTest } from './fix-test.ts'
import { lookAround, type Place } from './look-around.ts'
import { otherRepository } from './other-repository.ts'

/** The script for a task, whatever it asks for and wherever. */
export function* work(said: string): Script {
  const prompt = taskOf(said)
  const place = yield* lookAround()
  if (!place.isDemo) return yield* otherRepository(place, prompt)
  if (/french|français/i.test(prompt)) return yield* addFrench(place)
  if (/readme|document/i.test(prompt)) return yield* documentUse(place)
  if (/fix|fail|bug|test|repair|mend/i.test(prompt)) return yield* fixTest(place)
  return declined(place)
}

/** To whatever is said after the end: there is no second thought in a script. */
// biome-ignore lint/correctness/useYield: a script without a move, like any other to its caller
export function* answerAfterwards(_said: string): Script {
  return 'I am the demo model: I have done what my script can do here, and my account of it above still stands.'
}

/** The person's own words, where the agent marks them apart from what it adds. */
const taskOf = (said: string): string => /<task>([\s\S]*?)<\/task>/.exec(said)?.[1] ?? said

const declined = ({ directory }: Place): string =>
  [
    'I am the demo model, and this is not among the few things that I can do, so I changed nothing.',
    '',
    `In the demo repository (${directory}) ask me to:`,
    '- fix the failing test,',
    '- add a French greeting,',
    '- document in the README how to use it.',
    '',
    'With ANTHROPIC_API_KEY set on the server, Claude does the work instead, on any repository.',
  ].join('\n')
