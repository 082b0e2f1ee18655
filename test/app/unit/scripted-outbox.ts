import { createOutbox, type OutboxParts } from '../../../app/src/client/outbox.ts'
import { ApiError } from '../../../client/api/api-error.ts'
import type { Message, SendMessage, Task } from '../../../contract/api/api.ts'

/** No answer at all. */
export function away() {
  return Promise.reject(new ApiError('unreachable', 'no answer'))
}

/** An outbox before a server that answers as it is told. @param kept what an earlier run left on the device */
export function setUp(kept = new Map<string, unknown>()) {
  let ids = kept.size
  let user = async () => 'usr_ada'
  const taken: string[] = []
  const created: Task[] = []
  const said: SendMessage[] = []
  let answer: (clientId: string) => Promise<unknown> = async () => undefined
  const parts: OutboxParts = {
    api: {
      createTask: async ({ clientId = '' }) => {
        await answer(clientId)
        taken.push(clientId)
        return { id: `task of ${clientId}` } as Task
      },
      sendMessage: async (_taskId, message) => {
        await answer(message.clientId)
        said.push(message)
        return { id: 'm', clientId: message.clientId, state: 'waiting' } as Message
      },
    },
    storage: {
      list: async <T>(prefix: string) =>
        [...kept].filter(([key]) => key.startsWith(prefix)).map(([, value]) => structuredClone(value) as T),
      write: async (key, value) => void kept.set(key, structuredClone(value)),
      remove: async (key) => void kept.delete(key),
    },
    userId: () => 'usr_ada',
    checkUser: () => user(),
    newId: () => `id${++ids}`,
    now: () => new Date(),
    onTask: (task) => created.push(task),
  }
  const answerWith = (next: typeof answer) => {
    answer = next
  }
  const checkUserBy = (next: typeof user) => {
    user = next
  }
  return { outbox: createOutbox(parts), parts, kept, taken, created, said, answerWith, checkUserBy }
}
