import type { Step } from '../conversation.ts'
import type { Move, Script } from '../script.ts'
import { addFrench } from './add-french.ts'
import { documentUse } from './document-use.ts'
import { fixTest } from './fix-test.ts'
import { lookAround, type Place } from './look-around.ts'
import { otherRepository } from './other-repository.ts'
import { quoted, SIGNATURE } from './steps.ts'

/**
 * The script for any message in any repository. It handles messages that arrive during the work afterwards. The script never ends; a move
 * without calls is its report so far.
 */
export function* work(prompt: string): Generator<Move, never, Step> {
  const heard: string[] = []
  const place = yield* listening(lookAround(), heard)
  const accounts = [yield* listening(firstWork(place, prompt), heard)]
  for (let begun = 0; ; ) {
    for (; begun < heard.length; begun++) {
      const message = heard[begun] ?? ''
      const next = place.isDemo ? followUp(prompt, heard.slice(0, begun), message) : null
      accounts.push(
        next ? yield* listening(next(place), heard) : `You also said ${quoted(message)}. That is beyond my script, so I left it.`,
      )
    }
    heard.push(...(yield { text: joined(accounts), calls: [] }).heard)
  }
}

/** Runs a script and notes in `heard` what the person sends meanwhile. */
function* listening<T>(script: Script<T>, heard: string[]): Generator<Move, T, Step> {
  let next = script.next()
  while (!next.done) {
    const step = yield next.value
    heard.push(...step.heard)
    next = script.next(step.results)
  }
  return next.value
}

function* firstWork(place: Place, prompt: string): Script {
  if (!place.isDemo) return yield* otherRepository(place, prompt)
  const known = knownWork(prompt)
  return known ? yield* known(place) : declined(place)
}

/** @returns the work that this message adds; null if it is unknown or was already asked for */
export function followUp(prompt: string, before: readonly string[], message: string): KnownWork | null {
  const known = knownWork(message)
  return known && ![prompt, ...before].some((earlier) => knownWork(earlier) === known) ? known : null
}

type KnownWork = (place: Place) => Script

function knownWork(prompt: string): KnownWork | null {
  if (/french|français/i.test(prompt)) return addFrench
  if (/readme|document/i.test(prompt)) return documentUse
  if (/fix|fail|bug|test|repair|mend/i.test(prompt)) return fixTest
  return null
}

/** Puts finished work before declined work, and one signature at the end. */
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
    'I am the demo model, and this is not one of the few things I can do, so I left it alone.',
    '',
    `In the demo repository (${directory}), ask me to:`,
    '- fix the failing test,',
    '- add a French greeting,',
    '- document in the README how to use it.',
    '',
    'With ANTHROPIC_API_KEY set on the server, Claude does the work instead, on any repository.',
  ].join('\n')
}
