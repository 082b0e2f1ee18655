import type { QueryClient } from '@tanstack/react-query'
import { newId } from '../../../client/new-id.ts'
import type { Me, Task } from '../../../contract/api/api.ts'
import { type Api, createApi } from './api.ts'
import { createAskMe } from './ask-me.ts'
import { type Connection, createConnection } from './connection.ts'
import { createOutbox, type Outbox } from './outbox.ts'
import { askAnew, createQueries, putTask, watchAnswers } from './queries.ts'
import { createState, type State } from './state.ts'
import { createDrafts, type Drafts } from './storage/drafts.ts'
import { keepAnswers, keepNewestFeeds } from './storage/saved-answers.ts'
import { createStorage, type Storage } from './storage/storage.ts'

/** Everything between the screens and the server. */
export type Client = {
  api: Api
  connection: Connection
  outbox: Outbox
  drafts: Drafts
  storage: Storage
  queries: QueryClient
  /** Asks who is signed in. What another user left on this device is removed before the answer is given. */
  askMe: () => Promise<Me>
  /** True once the server said that nobody is signed in here. */
  signedOut: State<boolean>
  /** The newest task that the server took from this device, for whoever waits to see it. */
  lastSent: State<{ clientId: string; taskId: string } | null>
  /** This task was opened: from now on it opens without a network too. */
  keepTask: (taskId: string) => void
  /** From here on nothing more is saved on this device: its user leaves. */
  stopKeeping: () => void
  /** Begins: what an earlier run left unsent, and the socket once `first` is there. */
  start: (first: Promise<unknown>) => void
}

export function createClient(): Client {
  const signedOut = createState(false)
  const api = createApi(() => signedOut.set(true))
  const connection = createConnection()
  const storage = createStorage()
  const drafts = createDrafts(() => localStorage)
  const queries = createQueries(() => connection.state.get() === 'live')
  const keeper = keepAnswers(storage)
  watchAnswers(queries, keeper.hear)
  const takeTask = (task: Task) => putTask(queries, task)
  const lastSent = createState<{ clientId: string; taskId: string } | null>(null)
  const onTask = (task: Task, clientId: string) => {
    takeTask(task)
    lastSent.set({ clientId, taskId: task.id })
  }
  let restored = Promise.resolve()
  const shownUser = () => queries.getQueryData<Me>(['me'])?.id ?? null
  const ask = createAskMe({ api, storage, drafts, outbox: () => outbox, restored: () => restored })
  const askMe = async (): Promise<Me> => {
    const shown = shownUser()
    const me = await ask()
    // Signed in by another window: nothing on this page is theirs.
    if (shown !== null && shown !== me.id) location.assign('/')
    return me
  }
  const outbox = createOutbox({
    ...{ api, storage, newId, onTask, userId: shownUser },
    // Each time: another window may have signed in another user, whose cookie this page has from then on.
    checkUser: async () => (await askMe()).id,
    now: () => new Date(),
  })

  connection.on('task', takeTask)
  connection.on('live', () => {
    outbox.flush()
    askAnew(queries)
  })
  connection.state.subscribe(() => {
    if (connection.state.get() === 'unauthorized') signedOut.set(true)
  })

  return {
    api,
    connection,
    outbox,
    drafts,
    storage,
    queries,
    askMe,
    signedOut,
    lastSent,
    stopKeeping: keeper.stop,
    keepTask: (taskId) =>
      void keepNewestFeeds(storage, taskId).then(() => keeper.keepTask(taskId, queries.getQueryData(['task', taskId]))),
    start: (first) => {
      first.then(connection.open, connection.open)
      restored = outbox.restore()
    },
  }
}
