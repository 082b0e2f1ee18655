import type { TaskEvent } from '../../contract/api/event.ts'
import type { Client } from '../support/systems/client.ts'

/** A client that follows every task as the protocol says: it connects, asks for what comes after what it has, and drops what it has. */
export type Recorder = {
  /** The events of a task so far, each once. */
  events: (taskId: string) => TaskEvent[]
  /** When each of them came, milliseconds of `performance.now()`. */
  arrivals: (taskId: string) => number[]
  follow: (taskId: string) => void
  /** Loses its connection, and comes again by itself. */
  cut: () => void
  close: () => void
}

type Record = { events: TaskEvent[]; arrivals: number[]; asking: boolean }

/** How soon it asks again when the server refused or did not answer. */
const AGAIN_MS = 500
const ANSWER_MS = 5_000

export function openRecorder(client: Pick<Client, 'connect'>): Recorder {
  const records = new Map<string, Record>()
  const timers = new Set<NodeJS.Timeout>()
  const socket = client.connect()
  const recordOf = (taskId: string) => {
    const record = records.get(taskId) ?? { events: [], arrivals: [], asking: false }
    records.set(taskId, record)
    return record
  }
  const ask = (taskId: string) => {
    const record = recordOf(taskId)
    if (record.asking || !socket.connected || isOver(record)) return
    record.asking = true
    socket.timeout(ANSWER_MS).emit('task:watch', { taskId, after: record.events.length }, (error, answer) => {
      record.asking = false
      if (!error && answer.ok) return
      const timer = setTimeout(() => {
        timers.delete(timer)
        ask(taskId)
      }, AGAIN_MS)
      timers.add(timer)
    })
  }
  socket.on('connect', () => {
    for (const taskId of records.keys()) ask(taskId)
  })
  socket.on('event', (event) => {
    const record = recordOf(event.taskId)
    const expected = record.events.length + 1
    if (event.seq > expected) return ask(event.taskId)
    if (event.seq < expected) return
    record.events.push(event)
    record.arrivals.push(performance.now())
  })
  return {
    events: (taskId) => recordOf(taskId).events,
    arrivals: (taskId) => recordOf(taskId).arrivals,
    follow: (taskId) => ask(taskId),
    cut: () => socket.io.engine?.close(),
    close: () => {
      for (const timer of timers) clearTimeout(timer)
      socket.disconnect()
    },
  }
}

function isOver({ events }: Record): boolean {
  return events.at(-1)?.type === 'task.ended'
}
