import { describe, expect, it } from '@jest/globals'
import SQLite from 'better-sqlite3'
import { pino } from 'pino'
import type { Answer } from '../../../contract/api/socket.ts'
import { createReplays, createRotation } from '../../../coordinator/live/replays.ts'
import { type Connection, createPresence, serveSocket } from '../../../coordinator/live/serve-socket.ts'
import type { Tasks } from '../../../coordinator/tasks/tasks.ts'

const connection: Connection = {
  id: 's1',
  user: { id: 'u1', name: 'mona', avatarUrl: null, admin: false },
  isOpen: () => true,
  watch: () => undefined,
  unwatch: () => undefined,
  send: () => undefined,
  drained: async () => undefined,
  cut: () => undefined,
}

describe('a fault on a socket', () => {
  it.each([
    [new SQLite.SqliteError('database or disk is full', 'SQLITE_FULL'), 'unavailable', /disk may be full/],
    [new Error('a secret of ours'), 'internal', /^(?!.*secret)/],
  ])('is told as over HTTP: %s is %s', async (fault, code, message) => {
    const tasks = { cancel: () => Promise.reject(fault) } as unknown as Tasks
    const handlers = serveSocket({
      connection,
      tasks,
      replays: createReplays(),
      pages: createRotation(),
      countNew: async () => undefined,
      presence: createPresence(),
      log: pino({ level: 'silent' }),
    })
    const answer = await new Promise<Answer<object>>((resolve) => handlers['task:cancel']({ taskId: 't1' }, resolve))
    expect(answer).toMatchObject({ ok: false, error: { code, message: expect.stringMatching(message) } })
  })
})
