import type { QueryClient } from '@tanstack/react-query'
import { newId } from '../../../client/new-id.ts'
import type { Me, Task } from '../../../contract/api/api.ts'
import { type Api, createApi } from './api.ts'
import { createAskMe } from './ask-me.ts'
import { type Connection, createConnection } from './connection.ts'
import type { DropParts } from './drop-task.ts'
import { loadPart } from './load-part.ts'
import { createOutbox, type Outbox } from './outbox.ts'
import { askAnew, createQueries, putTask, watchAnswers } from './queries.ts'
import type { AppSocket } from './socket.ts'
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
  /** Asks who is signed in, and removes what another user left on this device before it answers. */
  askMe: () => Promise<Me>
  /** True after the server has said that nobody is signed in here. */
  signedOut: State<boolean>
  /** The newest task that the server accepted from this device, for a screen that waits for it. */
  lastSent: State<{ clientId: string; taskId: string } | null>
  /** Marks a task as opened, so that it also opens without a network from now on. */
  keepTask: (taskId: string) => void
  /** Saves nothing more on this device, because its user leaves. */
  stopKeeping: () => void
  /** Starts the outbox with what an earlier run left unsent, and the socket after `first`. */
  start: (first: Promise<unknown>) => void
}

export function createClient(): Client {
  const signedOut = createState(false)
  const api = createApi(
    () => signedOut.set(true),
    async () => (await loadPart('answers', () => import('./answers.ts'))).ENDPOINTS,
  )
  const storage = createStorage()
  const drafts = createDrafts(() => localStorage)
  const queries: QueryClient = createQueries(() => connection.state.get() === 'live')
  const connection = createConnection(() => loadSocket({ api, queries, storage, drafts }))
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
  const askMe = async () => {
    const shown = shownUser()
    const me = await ask()
    // Another window signed in another user: nothing on this page belongs to them.
    if (shown !== null && shown !== me.id) location.assign('/')
    return me
  }
  // Asked every time: another window may have signed in another user, and this page then has their cookie.
  const checkUser = async () => (await askMe()).id
  const outbox = createOutbox({ api, storage, newId, onTask, userId: shownUser, checkUser, now: () => new Date() })

  connection.on('task', takeTask)
  connection.on('live', () => {
    outbox.flush()
    askAnew(queries)
  })
  signOutWith(connection, signedOut)

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

async function loadSocket(parts: DropParts): Promise<AppSocket> {
  const load = () => Promise.all([import('./socket.ts'), import('./drop-task.ts')])
  const [{ createSocket }, { hearDeleted }] = await loadPart('socket', load)
  return hearDeleted(parts, createSocket())
}

function signOutWith({ state }: Connection, signedOut: State<boolean>): void {
  state.subscribe(() => {
    if (state.get() === 'unauthorized') signedOut.set(true)
  })
}
