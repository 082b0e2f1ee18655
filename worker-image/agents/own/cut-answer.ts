import type { End } from '../../../contract/wire/end.ts'
import type { Conversation } from '../../conversation/conversation.ts'
import { isBlank } from '../../conversation/fit/sendable.ts'
import { NOTICES } from '../../conversation/prompt.ts'
import type { Voice } from '../../door/voice.ts'

/**
 * Keeps an answer that was stopped in the middle, as far as the person has read it: in their history, and for the model, followed by a
 * sentence that says so. Its thinking has no use without its end, and its calls were not run: both are left out. On disk when this
 * returns.
 * @param text what had arrived; nothing happens if it is blank
 * @param end why the work was stopped
 * @returns the text that was kept, or null
 */
export async function keepCutAnswer(
  { conversation, voice }: { conversation: Pick<Conversation, 'addAnswer' | 'addUser'>; voice: Pick<Voice, 'emit'> },
  text: string,
  { outcome }: Pick<End, 'outcome'>,
): Promise<string | null> {
  if (isBlank(text)) return null
  voice.emit({ type: 'text.written', data: { text, cutOff: true } })
  const content = [{ type: 'text' as const, text }]
  await conversation.addAnswer({ content, text, calls: [], stopReason: 'none', stopDetails: null, usage: {} })
  await conversation.addUser({ results: [], notices: [outcome === 'cancelled' ? NOTICES.stoppedAnswer : NOTICES.lateAnswer] })
  return text
}
