import type { Script } from '../script.ts'
import { addFrench } from './add-french.ts'
import { documentUse } from './document-use.ts'
import { fixTest } from './fix-test.ts'
import { lookAround, type Place } from './look-around.ts'
import { otherRepository } from './other-repository.ts'
import { quoted, SIGNATURE } from './steps.ts'

/**
 * The script for a message, whatever it asks for and wherever, and for what the person says meanwhile: that comes after it. It has no end;
 * a move without calls is its account so far.
 * @param heard grows while this works
 */
export function* work(prompt: string, heard: readonly string[]): Script<never> {
  const place = yield* lookAround()
  const accounts = [yield* firstWork(place, prompt)]
  for (let begun = 0; ; ) {
    for (; begun < heard.length; begun++) {
      const next = place.isDemo ? followUp(prompt, heard.slice(0, begun), heard[begun] ?? '') : null
      accounts.push(
        next ? yield* next(place) : `You also said ${quoted(heard[begun] ?? '')}. That is beyond my script, so I left it.`,
      )
    }
    yield { text: joined(accounts), calls: [] }
  }
}

function* firstWork(place: Place, prompt: string): Script {
  if (!place.isDemo) return yield* otherRepository(place, prompt)
  const known = knownWork(prompt)
  return known ? yield* known(place) : declined(place)
}

/** @returns what this message asks for in the middle of the work on others; null for what cannot be done, or was to be done anyway */
export function followUp(said: string, before: readonly string[], message: string): KnownWork | null {
  const known = knownWork(message)
  return known && ![said, ...before].some((earlier) => knownWork(earlier) === known) ? known : null
}

type KnownWork = (place: Place) => Script

function knownWork(prompt: string): KnownWork | null {
  if (/french|français/i.test(prompt)) return addFrench
  if (/readme|document/i.test(prompt)) return documentUse
  if (/fix|fail|bug|test|repair|mend/i.test(prompt)) return fixTest
  return null
}

/** What was done stands before what was not, and the signature at the end, once. */
function joined(accounts: readonly string[]): string {
  const done = accounts.filter((account) => account.includes(SIGNATURE))
  const parts = [...done, ...accounts.filter((account) => !done.includes(account))]
  if (done.length === 0) return parts.join('\n\n')
  return [...parts.map((part) => part.replace(SIGNATURE, '').trim()), SIGNATURE].join('\n\n')
}

function declined({ directory }: Place): string {
  return [
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
}
