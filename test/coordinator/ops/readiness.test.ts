import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { Redis } from 'ioredis'
import { pino } from 'pino'
import { createReadiness } from '../../../coordinator/ops/readiness.ts'
import { connectRedis, type RedisLinks } from '../../../coordinator/wire/redis.ts'
import { waitFor } from '../../support/checks/wait.ts'
import { openTestDatabase, ROOMY, type TestDatabase } from '../../support/systems/database.ts'
import { startRedis, type TestRedis } from '../../support/systems/redis.ts'
import { freePort } from '../../support/systems/temporary.ts'

describe('a Redis that refuses writes', () => {
  let database: TestDatabase
  let server: TestRedis
  let links: RedisLinks
  let admin: Redis
  beforeAll(async () => {
    database = await openTestDatabase()
    server = await startRedis()
    links = await connectRedis(server.url, pino({ level: 'silent' }))
    admin = new Redis(server.url)
  })
  afterAll(async () => {
    admin.disconnect()
    links.close()
    await server.stop()
    await database.close()
  })

  const readiness = (proofMs: number) =>
    createReadiness({
      db: database.db,
      disk: ROOMY,
      redis: { ping: () => links.commands.ping(), proveWritable: links.proveWritable },
      proofMs,
    })

  it.each<[string, () => Promise<unknown>, () => Promise<unknown>]>([
    ['since it is full', () => admin.config('SET', 'maxmemory', '1'), () => admin.config('SET', 'maxmemory', '0')],
    ['since it is a replica', async () => admin.replicaof('127.0.0.1', await freePort()), () => admin.replicaof('NO', 'ONE')],
  ])('is not ready, %s, and ready when it takes them again', async (_why, break_, mend) => {
    const ready = readiness(0)
    expect(await ready()).toEqual({ store: true, redis: true, disk: true })
    await break_()
    expect(await links.commands.ping()).toBe('PONG')
    expect(await ready()).toEqual({ store: true, redis: false, disk: true })
    await mend()
    await waitFor('Redis to be ready', async () => (await ready()).redis)
  })

  it('is written to now and then, and the key ends by itself', async () => {
    const seldom = readiness(60_000)
    await seldom()
    await admin.del('errand:proof')
    expect(await seldom()).toEqual({ store: true, redis: true, disk: true })
    expect(await admin.exists('errand:proof')).toBe(0)
    await readiness(0)()
    expect(await admin.ttl('errand:proof')).toBeGreaterThan(0)
  })
})
