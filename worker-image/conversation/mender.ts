import type { ModelMessage } from '../model/model-client.ts'
import { isReplaced, isThinkingAt, namesOf, newPlaces, type Place, placeNamed, withoutPlaces } from './fit/mend.ts'
import type { Transcript } from './transcript.ts'

/** Changes a conversation that the API refuses, a block at a time, until it is accepted. */
export type Mender = {
  /** @param error the API's words. @returns false when there is nothing left to try */
  mend: (error: string) => boolean
  /** The API answered. @returns what had to go for that, in words for a person */
  accepted: () => string[]
}

/** Refused calls cost nothing, but each takes a moment. */
const MOST_TRIES = 24
/** Blocks that nobody names are tried one by one, or in so many groups. */
const GROUPS = 8

/** What is being tried while the API names no block: the conversation as it was, and what is left to replace in it. */
type Search = { before: readonly ModelMessage[]; attempts: Array<readonly Place[] | 'thinking'> }

export function createMender(transcript: Pick<Transcript, 'parts' | 'rewrite' | 'stripThinking'>): Mender {
  let tries = 0
  let search: Search | null = null
  let gone: string[] = []
  const messages = () => transcript.parts().messages
  const replace = (from: readonly ModelMessage[], places: readonly Place[], error: string) => {
    gone.push(namesOf(from, places))
    transcript.rewrite(withoutPlaces(from, places, error))
    return true
  }

  return {
    mend: (error) => {
      tries += 1
      if (tries > MOST_TRIES) return false
      const named = search ? null : placeNamed(error, messages())
      const isAboutThinking = /thinking|signature|bound to a different/i.test(error) || (named && isThinkingAt(messages(), named))
      if (isAboutThinking && hasThinking(messages())) {
        transcript.stripThinking()
        return true
      }
      if (named && !isReplaced(messages(), named)) return replace(messages(), [named], error)
      search ??= { before: messages(), attempts: attemptsFor(messages()) }
      const attempt = search.attempts.shift()
      // Only the last attempt stands: each one begins from the conversation as it was.
      gone = []
      if (attempt === undefined) return false
      if (attempt !== 'thinking') return replace(search.before, attempt, error)
      transcript.rewrite(search.before)
      transcript.stripThinking()
      return true
    },
    accepted: () => {
      const told = gone
      search = null
      gone = []
      return told
    },
  }
}

/** The new blocks one by one or in {@link GROUPS} groups, then all thinking, then all new blocks together. */
function attemptsFor(messages: readonly ModelMessage[]): Search['attempts'] {
  const places = newPlaces(messages)
  const size = Math.max(1, Math.ceil(places.length / GROUPS))
  const groups = Array.from({ length: Math.ceil(places.length / size) }, (_, index) =>
    places.slice(index * size, (index + 1) * size),
  )
  return [...groups, ...(hasThinking(messages) ? ['thinking' as const] : []), ...(groups.length > 1 ? [places] : [])]
}

function hasThinking(messages: readonly ModelMessage[]): boolean {
  return messages.some(({ content }) => typeof content !== 'string' && content.some(({ type }) => /thinking$/.test(type)))
}
