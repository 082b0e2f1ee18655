import type { Message, SendMessage } from '../contract/api.ts'
import { isEnded } from '../contract/status.ts'
import { beginTurn, keepWaiting } from './begin-turn.ts'
import { checkLimit } from './create-task.ts'
import { Refusal } from './errors.ts'
import { findOwn } from './own-task.ts'
import { findAttempt } from './store/attempts.ts'
import { findMessageByClientId, listWaitingMessages, messageOf } from './store/inbox.ts'
import type { TaskParts } from './tasks.ts'

/** Messages of one task that may wait at a time. */
const MOST_WAITING = 50

/**
 * Keeps what a person says, and only then answers. To an ended task it begins the next turn; to any other it waits: for the turn's
 * end, or (`steer`) for the next pause between two of the agent's tools. One that no agent took when its turn ends begins the next.
 */
export const sendMessage = async (
  parts: TaskParts,
  userId: string,
  taskId: string,
  { text, mode, clientId }: SendMessage,
): Promise<{ message: Message; created: boolean }> => {
  const { config, ledger, dispatch, log } = parts
  const { task, message, created } = await ledger.write(async (tx, say) => {
    const task = await findOwn(tx, userId, taskId)
    const before = await findMessageByClientId(tx, taskId, clientId)
    if (before) return { task, message: before, created: false }
    if (isEnded(task.status)) {
      await checkLimit(tx, userId, config.tasksPerUser)
      return { ...(await beginTurn(tx, say, task, { text, clientId })), created: true }
    }
    const waiting = await listWaitingMessages(tx, taskId)
    if (waiting.length >= MOST_WAITING)
      throw new Refusal('rate_limited', `${MOST_WAITING} messages wait for this task already. Wait, or withdraw one.`)
    const turn = mode === 'steer' ? task.turn : task.turn + 1 + waiting.filter((other) => other.mode === 'queue').length
    return { ...(await keepWaiting(tx, say, task, { text, clientId, mode, turn })), created: true }
  })
  if (message.text !== text)
    throw new Refusal('conflict', 'This clientId was used for another message. Give each message a new one.', {
      messageId: message.id,
    })
  if (created) log.info({ event: 'message.received', taskId, messageId: message.id, mode: message.mode })
  if (created && message.mode === null) dispatch.nudge()
  // Not while it is being stopped: then the message begins the next turn.
  if (message.mode === 'steer' && message.state === 'waiting' && task.cancel_requested_at === null)
    await tellAgent(parts, taskId, task.attempt, { say: 'message', message: { messageId: message.id, text } })
  return { message: messageOf(message), created }
}

/** Only the quick way: a word that is lost comes with the runner's next renewal, or with the lease of the next attempt. */
export const tellAgent = async (
  { db, sayToRunner, log }: Pick<TaskParts, 'db' | 'sayToRunner' | 'log'>,
  taskId: string,
  number: number,
  word: Parameters<TaskParts['sayToRunner']>[3],
): Promise<void> => {
  const attempt = await findAttempt(db, taskId, number)
  if (attempt?.ended_at !== null) return
  try {
    await sayToRunner(attempt.runner_id, taskId, number, word)
  } catch (error) {
    log.warn({ event: 'word.delayed', taskId, attempt: number, say: word.say, err: error })
  }
}
