import { codeOf } from '../../../client/api/api-error.ts'
import { type FeedEffect, type FeedInput, LOADING, openFeed, type SavedFeed, type TaskFeed } from '../../../client/feed-state.ts'
import { runMachine } from '../../../client/machine.ts'
import { earlierPage } from '../../../client/shown-feed.ts'
import { stepFeed } from '../../../client/task-feed.ts'
import type { Api } from './api.ts'
import type { Connection } from './connection.ts'
import { createState, type State } from './state.ts'
import type { Storage } from './storage/storage.ts'

export type OpenFeed = {
  state: State<TaskFeed>
  /** @throws ApiError if they cannot be loaded */
  loadEarlier: () => Promise<void>
  /** Tries again after an error. */
  retry: () => void
  close: () => void
}

type Parts = {
  api: Pick<Api, 'findTask' | 'listEvents' | 'listMessages'>
  connection: Pick<Connection, 'watch' | 'unwatch' | 'catchUp' | 'on'>
  storage: Pick<Storage, 'read' | 'write'>
  /** The server has this message. */
  onMessage: (clientId: string) => void
}

/** Opens the live feed of one task: carries out what `client/task-feed.ts` decides, with this app's API calls, connection and storage. */
export function openTaskFeed(taskId: string, parts: Parts): OpenFeed {
  const { api, connection, storage } = parts
  const state = createState(LOADING)
  const carryOut = (effect: Effect) => void act(taskId, parts, effect)?.catch(failed).then(machine.take)
  const machine = runMachine(openFeed(taskId), stepFeed, carryOut, ({ shown }) => state.set(shown))
  const stops = [
    connection.on('event', (event) => machine.take({ type: 'event', event })),
    connection.on('delta', (delta) => machine.take({ type: 'delta', delta })),
    connection.on('live', () => machine.take({ type: 'connected' })),
  ]
  void storage.read<SavedFeed>(keyOf(taskId)).then((saved) => machine.take({ type: 'restored', saved }))

  return {
    state,
    loadEarlier: async () => {
      const page = earlierPage(state.get())
      if (page === null) return
      machine.take({ type: 'earlier-asked' })
      try {
        const { events } = await api.listEvents(taskId, { after: page.after, limit: page.limit })
        machine.take({ type: 'earlier', events })
      } catch (error) {
        machine.take({ type: 'earlier-failed' })
        throw error
      }
    },
    retry: () => machine.take({ type: 'retry' }),
    close: () => {
      machine.take({ type: 'close' })
      machine.stop()
      for (const stop of stops) stop()
    },
  }
}

type Effect = Exclude<FeedEffect, { type: 'wait' | 'stop' }>

/** @returns the answer, for an effect that has one */
function act(taskId: string, { api, connection, storage, onMessage }: Parts, effect: Effect): Promise<FeedInput> | undefined {
  switch (effect.type) {
    case 'ask-task':
      return api.findTask(taskId).then(({ lastSeq }) => ({ type: 'task', lastSeq }))
    case 'ask-page':
      return api
        .listEvents(taskId, { after: effect.after, limit: effect.limit })
        .then(({ events, lastSeq }) => ({ type: 'page', events, lastSeq }))
    case 'ask-messages':
      return api.listMessages(taskId).then(({ items }) => ({ type: 'messages', items }))
    case 'watch':
      return connection.watch(taskId, effect.after).then((answer) => ({ type: 'watched', lastSeq: answer?.lastSeq ?? null }))
    case 'unwatch':
      connection.unwatch(taskId)
      return undefined
    case 'catch-up':
      connection.catchUp(taskId, effect.behind)
      return undefined
    case 'keep':
      void storage.write(keyOf(taskId), effect.saved)
      return undefined
    case 'received':
      effect.clientIds.forEach(onMessage)
      return undefined
  }
}

function keyOf(taskId: string): string {
  return `feed:${taskId}`
}

function failed(error: unknown): FeedInput {
  return { type: 'failed', error, isFinal: FINAL.has(codeOf(error)) }
}

/** Asking again does not change these answers. */
const FINAL: ReadonlySet<ReturnType<typeof codeOf>> = new Set(['unauthorized', 'forbidden', 'not_found'])
