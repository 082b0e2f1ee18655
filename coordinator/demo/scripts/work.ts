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

/** The person's own words, without the agent's heading. */
const taskOf = (said: string): string => said.replace(/^The task:\s+/, '')

const declined = ({ directory }: Place): string =>
  [
    'Nothing was changed.',
    '',
    'I am the demo model, and this is not among the few things that I can do, so I left it alone.',
    '',
    `In the demo repository (${directory}) ask me to:`,
    '- fix the failing test,',
    '- add a French greeting,',
    '- document in the README how to use it.',
    '',
    'With ANTHROPIC_API_KEY set on the server, Claude does the work instead, on any repository.',
  ].join('\n')
