import { afterEach, expect, it } from '@jest/globals'
import { pino } from 'pino'
import { checkGuests } from '../../../coordinator/accounts/guests.ts'
import { readConfig } from '../../../coordinator/process/config.ts'
import { type HttpServer, startHttp } from '../../support/outside/http-server.ts'
import { visitor } from '../../support/systems/people.ts'

let server: HttpServer
afterEach(() => server.stop())

function startAgainWith(environment: Record<string, string>) {
  return checkGuests({ db: server.parts.db, config: readConfig(environment), log: pino({ level: 'silent' }) })
}

async function statusOf(token: string) {
  return (await server.call('GET', '/api/me', { token })).status
}

it('A start shuts out whom ERRAND_USERS names no more, and nobody else', async () => {
  server = await startHttp()
  const gone = await server.addUser('mallory')
  const stays = await server.addUser('Mona')
  const browser = await server.signIn(visitor(server.url), gone.token)
  expect((await browser.get('/api/me')).status).toBe(200)

  await startAgainWith({ ERRAND_USERS: 'mona' })
  expect([await statusOf(gone.token), (await browser.get('/api/me')).status]).toEqual([401, 401])
  expect([await statusOf(stays.token), await statusOf(server.owner.token)]).toEqual([200, 200])
})

it('A start takes the rights of an admin from whom ERRAND_ADMINS names no more', async () => {
  server = await startHttp()
  const { token } = await server.addUser('mona', { admin: true })
  const isAdmin = async () => ((await (await server.call('GET', '/api/me', { token })).json()) as { admin: boolean }).admin
  await startAgainWith({ ERRAND_ADMINS: 'Mona' })
  expect(await isAdmin()).toBe(true)
  await startAgainWith({ ERRAND_USERS: '*' })
  expect(await isAdmin()).toBe(false)
})
