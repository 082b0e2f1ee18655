import type { Voice } from '../../door/voice.ts'
import type { AskOptions } from '../../model/ask-model.ts'

/** Reports the waits for the model as events: one for each pause, and one when the model answers. */
export type ModelWaiting = Pick<AskOptions, 'onWaiting' | 'onAnswering'>

/** A wait that never ends in an answer is closed by the runner, together with the turn. */
export function createModelWaiting(voice: Pick<Voice, 'emit'>): ModelWaiting {
  let since: number | null = null
  return {
    onWaiting: (data) => {
      since ??= performance.now()
      voice.emit({ type: 'model.waiting', data })
    },
    onAnswering: () => {
      if (since === null) return
      const waitedMs = Math.round(performance.now() - since)
      since = null
      voice.emit({ type: 'model.resumed', data: { waitedMs, answered: true } })
    },
  }
}
