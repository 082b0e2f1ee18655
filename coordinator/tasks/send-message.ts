import type { Message, SendMessage } from '../../contract/api/api.ts'
import { isEnded } from '../../contract/api/status.ts'
import { wellFormed } from '../../contract/shared/characters.ts'
import { Refusal } from '../process/errors.ts'
import { findMessageByClientId, listWaitingMessages, messageOf } from '../store/inbox.ts'
import { sendToAttempt } from '../wire/send-to-runner.ts'
import { addWaitingMessage, beginTurn } from './begin-turn.ts'
import { cancelTurn, propagateCancel } from './cancel-task.ts'
import { checkMayBegin } from './create-task.ts'
import { endWait, isParked, propagateEndOfWait } from './end-wait.ts'
import { findOwnTask, type TaskParts } from './parts.ts'

/** Messages of one task that may wait at a time. */
const MOST_WAITING = 50

/**
 * Stores a message before it answers. On an ended task the message begins the next turn; on any other it waits: for the turn's end, or
 * (`steer`) for the next pause between two of the agent's tools. A message that no agent took by the end of its turn begins the next one.
 * A turn that waits for the model tries again now. `stopFirst` cancels the current turn in the same transaction, so that both happen once or not at all.
 */
export async function sendMessage(
  parts: TaskParts,
  userId: string,
  taskId: string,
  { text: given, mode, clientId, stopFirst = false }: SendMessage,
): Promise<{ message: Message; created: boolean }> {
  const { config, ledger, dispatch, log } = parts
  // As SQLite cannot keep half of a surrogate pair, the text would be another one when it is sent again, and for the runner.
  const text = wellFormed(given)
  const hasRoom = !(await parts.disk.look()).low
  const { task, message, created, cancelled, woken } = await ledger.write(async (tx, record) => {
    const found = await findOwnTask(tx, userId, taskId)
    const before = await findMessageByClientId(tx, taskId, clientId)
    if (before) return { task: found, message: before, created: false, cancelled: null, woken: null }
    const cancelled = stopFirst && !isEnded(found.status) ? await cancelTurn(tx, record, found) : null
    const task = cancelled ?? found
    if (isEnded(task.status)) {
      await checkMayBegin(tx, userId, config, hasRoom)
      return { ...(await beginTurn(tx, record, task, { text, clientId })), created: true, cancelled, woken: null }
    }
    const waiting = await listWaitingMessages(tx, taskId, task.message_id)
    if (waiting.length >= MOST_WAITING)
      throw new Refusal('rate_limited', `This task already has ${MOST_WAITING} waiting messages. Wait, or withdraw one.`)
    // A turn that is being cancelled takes no more messages.
    const effectiveMode = task.cancel_requested_at === null ? mode : 'queue'
    const turn = effectiveMode === 'steer' ? task.turn : task.turn + 1 + waiting.filter((other) => other.mode === 'queue').length
    const added = await addWaitingMessage(tx, record, task, { text, clientId, mode: effectiveMode, turn })
    // Whoever writes now does not want to wait for the model until then.
    const woken = isParked(added.task) ? await endWait(tx, record, added.task) : null
    return { ...added, created: true, cancelled, woken }
  })
  if (message.text !== text)
    throw new Refusal('conflict', 'This clientId was used for another message. Give each message a new one.', {
      messageId: message.id,
    })
  if (created) log.info({ event: 'message.received', taskId, messageId: message.id, mode: message.mode })
  if (cancelled) await propagateCancel(parts, cancelled)
  if (woken) await propagateEndOfWait(parts, woken)
  if (created && message.mode === null) dispatch.nudge()
  // While the turn is being cancelled, the message waits to begin the next one.
  if (message.mode === 'steer' && message.state === 'waiting' && task.cancel_requested_at === null)
    await sendToAttempt(parts, taskId, task.attempt, { type: 'message', message: { messageId: message.id, text } })
  return { message: messageOf(message), created }
}
