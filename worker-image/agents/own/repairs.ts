import type { Beginning } from '../../conversation/begin-anew.ts'
import type { Conversation } from '../../conversation/conversation.ts'
import { HISTORY_NOTE, withoutExchange } from '../../conversation/declined.ts'
import { extractOf } from '../../conversation/extract.ts'
import type { Voice } from '../../door/voice.ts'
import type { Log } from '../../process/log.ts'

/** What is done about a request that the model API refuses: the work must not end because of one block. */
export type Repairs = {
  /** @param error the API's words. @returns whether the conversation has changed, so that it is worth another call */
  repair: (error: string) => Promise<boolean>
  /** The API answered: the person reads what had to go for that. */
  accepted: () => void
  /** The model declined to answer. @returns whether it is worth another call: then the conversation is a fresh one */
  declined: () => Promise<boolean>
}

type Parts = {
  conversation: Conversation
  voice: Voice
  log: Log
  branchState: () => Promise<string>
  plan: () => Beginning['plan']
}

/** A fault of the request around the conversation: no message can mend it. */
const AROUND = /^(system|tools|model|max_tokens|stream|thinking|output_config|metadata|cache_control)\b/

export function createRepairs({ conversation, voice, log, branchState, plan }: Parts): Repairs {
  let isFresh = false
  const tell = (text: string) => voice.emit({ type: 'note.written', data: { text } })
  return {
    repair: async (error) => {
      if (AROUND.test(error)) return false
      if (conversation.mend(error)) return true
      const messages = conversation.messages()
      if (isFresh || messages.length < 2) return false
      isFresh = true
      log('conversation.anew', { messages: messages.length })
      await conversation.beginAnew({
        why: 'the model API no longer accepts the conversation about this task, and an extract replaces it.',
        // Not of the newest exchange: it may be the one that was refused.
        summary: extractOf(withoutExchange(messages)),
        branchState: await branchState(),
        plan: plan(),
      })
      tell(ANEW)
      return true
    },
    accepted: () => {
      for (const what of conversation.accepted())
        tell(`The model API refused ${what} in this conversation. A sentence took its place, and the work goes on.`)
    },
    declined: async () => {
      const isAgain = await conversation.declined()
      if (isAgain) tell(HISTORY_NOTE)
      return isAgain
    },
  }
}

const ANEW =
  'The model API no longer accepted this conversation. A fresh one continues, with your messages, an extract of the work and the state of the branch.'
