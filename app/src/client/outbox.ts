import { codeOf, isAway, isPassing } from '../../../client/api/api-error.ts'
import { runMachine } from '../../../client/machine.ts'
import {
  EMPTY_OUTBOX,
  type OutboxEffect,
  type OutboxInput,
  type SendFault,
  stepOutbox,
  type Unsent,
} from '../../../client/outbox.ts'
import type { CreateTask, SendMessage, Task } from '../../../contract/api/api.ts'
import { words } from '../text/words.ts'
import type { Api } from './api.ts'
import { createState, type State } from './state.ts'
import type { Storage } from './storage/storage.ts'

export type Outbox = {
  state: State<readonly Unsent[]>
  /** Saves the item on this device and then sends it. @returns its `clientId` at once */
  sendTask: (task: Omit<CreateTask, 'clientId'>) => string
  sendMessage: (taskId: string, message: Omit<SendMessage, 'clientId'>) => string
  retry: (clientId: string) => void
  /** Removes an item: the user deleted it, or its event has arrived. */
  forget: (clientId: string) => void
  /** Tries all waiting items at once, because the connection is back. */
  flush: () => void
  /** Reads the items that an earlier run of the app left. */
  restore: () => Promise<void>
  /** Removes everything. */
  clear: () => void
}

export type OutboxParts = {
  api: Pick<Api, 'createTask' | 'sendMessage'>
  storage: Pick<Storage, 'list' | 'write' | 'remove'>
  newId: () => string
  now: () => Date
  /** The user of this device, if known without asking the server. */
  userId: () => string | null
  /** @returns who is signed in; this removes what another user left here. @throws ApiError */
  checkUser: () => Promise<string>
  onTask: (task: Task, clientId: string) => void
}

/** Each item has its own key, so that two open windows do not overwrite each other's items. */
const KEY = 'outbox:'

/** Opens the outbox: carries out what `client/outbox.ts` decides, with this app's API calls and storage. */
export function createOutbox(parts: OutboxParts): Outbox {
  const { storage, newId, now, userId } = parts
  const state = createState<readonly Unsent[]>([])
  const carryOut = createHands(parts, (input) => machine.take(input))
  const machine = runMachine(EMPTY_OUTBOX, stepOutbox, carryOut, ({ items }) => state.set(items))
  const facts = () => ({ clientId: newId(), userId: userId(), createdAt: now().toISOString() })

  return {
    state,
    sendTask: (task) => {
      const known = facts()
      const { clientId } = known
      machine.take({ type: 'add', draft: { ...known, kind: 'task', body: { ...task, clientId } } })
      return clientId
    },
    sendMessage: (taskId, message) => {
      const known = facts()
      const { clientId } = known
      machine.take({ type: 'add', draft: { ...known, kind: 'message', taskId, body: { ...message, clientId } } })
      return clientId
    },
    retry: (clientId) => machine.take({ type: 'retry', clientId }),
    forget: (clientId) => machine.take({ type: 'forget', clientId }),
    flush: () => machine.take({ type: 'flush' }),
    restore: async () => machine.take({ type: 'restored', items: await storage.list<Unsent>(KEY) }),
    clear: () => machine.take({ type: 'clear' }),
  }
}

/** Carries out the effects. Writes reach the device one after another, and before the written item is sent. */
function createHands({ api, storage, checkUser, onTask }: OutboxParts, take: (input: OutboxInput) => void) {
  let storing = Promise.resolve()
  const answer = (clientId: string, call: Promise<OutboxInput>) =>
    void call.catch((error: unknown): OutboxInput => ({ type: 'failed', clientId, fault: faultOf(error) })).then(take)
  const send = async (item: Unsent): Promise<OutboxInput> => {
    const { clientId } = item
    if (item.kind === 'message') {
      const { state } = await api.sendMessage(item.taskId, item.body)
      // The feed already shows a message that no longer waits.
      return { type: 'received', clientId, waits: state === 'waiting' }
    }
    return { type: 'created', clientId, task: await api.createTask(item.body) }
  }
  return (effect: Exclude<OutboxEffect, { type: 'wait' | 'stop' }>): void => {
    switch (effect.type) {
      case 'store':
        storing = storing.then(() => storage.write(KEY + effect.item.clientId, effect.item))
        break
      case 'remove':
        storing = storing.then(() => storage.remove(KEY + effect.clientId))
        break
      case 'check': {
        const { clientId } = effect
        answer(
          clientId,
          storing.then(checkUser).then((userId) => ({ type: 'checked', clientId, userId })),
        )
        break
      }
      case 'send':
        answer(effect.item.clientId, send(effect.item))
        break
      case 'created':
        onTask(effect.task, effect.clientId)
        break
    }
  }
}

/** Items wait for the network, the server or a sign-in without a limit. Only a refusal is final. */
function faultOf(error: unknown): SendFault {
  if (codeOf(error) === 'unauthorized') return { kind: 'signed-out', error: words.outbox.signedOut }
  if (isAway(error)) return { kind: 'passing', error: words.outbox.away }
  const sentence = error instanceof Error ? error.message : words.common.unknownFault
  return isPassing(error) ? { kind: 'passing', error: words.outbox.later(sentence) } : { kind: 'refused', error: sentence }
}
