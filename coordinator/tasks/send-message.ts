import type { Message, SendMessage } from '../../contract/api/api.ts'
import { isEnded } from '../../contract/api/status.ts'
import { Refusal } from '../process/errors.ts'
import { findMessageByClientId, listWaitingMessages, messageOf } from '../store/inbox.ts'
import { tellAgent } from '../wire/tell-agent.ts'
import { beginTurn, keepWaiting } from './begin-turn.ts'
import { checkLimit } from './create-task.ts'
import { findOwn } from './own-task.ts'
import { spreadStop, stopTurn } from './stop-turn.ts'
import type { TaskParts } from './tasks.ts'

/** Messages of one task that may wait at a time. */
const MOST_WAITING = 50

/**
 * Keeps what a person says, and only then answers. To an ended task it begins the next turn; to any other it waits: for the turn's
 * end, or (`steer`) for the next pause between two of the agent's tools. One that no agent took when its turn ends begins the next.
 * With `stopFirst` the turn under way is stopped in the same transaction, so that neither happens without the other, nor twice.
 */
export async function sendMessage(
  parts: TaskParts,
  userId: string,
  taskId: string,
  { text, mode, clientId, stopFirst = false }: SendMessage,
): Promise<{ message: Message; created: boolean }> {
  const { config, ledger, dispatch, log } = parts
  const { task, message, created, stopped } = await ledger.write(async (tx, record) => {
    const found = await findOwn(tx, userId, taskId)
    const before = await findMessageByClientId(tx, taskId, clientId)
    if (before) return { task: found, message: before, created: false, stopped: null }
    const stopped = stopFirst && !isEnded(found.status) ? await stopTurn(tx, record, found) : null
    const task = stopped ?? found
    if (isEnded(task.status)) {
      await checkLimit(tx, userId, config.tasksPerUser)
      return { ...(await beginTurn(tx, record, task, { text, clientId })), created: true, stopped }
    }
    const waiting = await listWaitingMessages(tx, taskId, task.message_id)
    if (waiting.length >= MOST_WAITING)
      throw new Refusal('rate_limited', `${MOST_WAITING} messages wait for this task already. Wait, or withdraw one.`)
    // A turn that is being stopped takes nothing more.
    const kept = task.cancel_requested_at === null ? mode : 'queue'
    const turn = kept === 'steer' ? task.turn : task.turn + 1 + waiting.filter((other) => other.mode === 'queue').length
    return { ...(await keepWaiting(tx, record, task, { text, clientId, mode: kept, turn })), created: true, stopped }
  })
  if (message.text !== text)
    throw new Refusal('conflict', 'This clientId was used for another message. Give each message a new one.', {
      messageId: message.id,
    })
  if (created) log.info({ event: 'message.received', taskId, messageId: message.id, mode: message.mode })
  if (stopped) await spreadStop(parts, stopped)
  if (created && message.mode === null) dispatch.nudge()
  // Not while it is being stopped: then the message begins the next turn.
  if (message.mode === 'steer' && message.state === 'waiting' && task.cancel_requested_at === null)
    await tellAgent(parts, taskId, task.attempt, { say: 'message', message: { messageId: message.id, text } })
  return { message: messageOf(message), created }
}
