import { beforeEach, describe, expect, it } from '@jest/globals'
import SQLite from 'better-sqlite3'
import { createTroubles } from '../../../coordinator/process/troubles.ts'

const full = new SQLite.SqliteError('database or disk is full', 'SQLITE_FULL')
const refused = new Error("OOM command not allowed when used memory > 'maxmemory'.")

describe('a trouble that fails everything', () => {
  let now: number
  let troubles: ReturnType<typeof createTroubles>
  beforeEach(() => {
    now = 0
    troubles = createTroubles({ everyMs: 60_000, now: () => now })
  })
  const written = (facts: object) => troubles.judge(facts).write

  it('is told once a minute, whatever it kept from being done, with what was left out', () => {
    const told: unknown[] = []
    for (now = 0; now < 180_000; now += 100)
      for (const event of ['intake.failed', 'reconcile.failed']) {
        const verdict = troubles.judge({ event, err: full })
        if (verdict.write) told.push(verdict.leftOut)
      }
    expect(told).toEqual([
      null,
      { 'intake.failed': 599, 'reconcile.failed': 600 },
      { 'intake.failed': 599, 'reconcile.failed': 600 },
    ])
  })

  it('is told apart from another, and found below what was made of it', () => {
    expect(written({ event: 'a', err: full })).toBe(true)
    expect(written({ event: 'b', err: refused })).toBe(true)
    expect(written({ event: 'c', err: Object.assign(new Error('write'), { code: 'ENOSPC' }) })).toBe(true)
    expect(written({ event: 'http.answered', status: 503 })).toBe(true)
    for (const facts of [{ err: new Error('x', { cause: full }) }, { err: refused }, { event: 'http.answered', status: 503 }])
      expect(written(facts)).toBe(false)
  })

  it('is over when it was not met for a minute, which is said once', () => {
    for (now = 0; now <= 2_000; now += 1_000) written({ event: 'intake.failed', err: full })
    written({ event: 'once', err: refused })
    now = 61_000
    expect(troubles.takeOver()).toEqual([])
    now = 70_000
    expect(troubles.takeOver()).toEqual([{ trouble: 'SQLITE_FULL', leftOut: { 'intake.failed': 2 } }])
    expect(troubles.takeOver()).toEqual([])
    expect(written({ event: 'intake.failed', err: full })).toBe(true)
  })

  it('is no other fault: each of those is told', () => {
    for (const facts of [
      { event: 'attempt.lost', taskId: 'tsk_1' },
      { event: 'intake.event_failed', err: new SQLite.SqliteError('no such column', 'SQLITE_ERROR') },
      { event: 'notification.failed', err: Object.assign(new Error('connect'), { code: 'ECONNREFUSED' }) },
      { event: 'http.answered', status: 500 },
    ])
      for (let times = 0; times < 3; times++) expect(written(facts)).toBe(true)
  })
})
