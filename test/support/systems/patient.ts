import { mkdir, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { expect } from '@jest/globals'
import { CONTRACT_VERSION } from '../../../contract/wire/lease.ts'
import { RUNNER_PATHS } from '../../../contract/wire/names.ts'
import { errand } from './command-line.ts'
import { startCoordinator } from './coordinator.ts'
import { startRedis } from './redis.ts'
import { listen, temporaryFolder } from './temporary.ts'

type Line = { name: string; state: string; found: string; cure?: string }
type Env = Record<string, string>

export const HOME = join(import.meta.dirname, '../../..')

export type TestPatient = Awaited<ReturnType<typeof startPatient>>

/** A healthy server with all around it that `errand doctor` looks at, for tests to plant faults in. */
export async function startPatient() {
  const place = await temporaryFolder()
  const redis = await startRedis()
  const outside = await startOutside()
  const dataDir = join(place.path, 'data')
  const server = await startCoordinator({ redisUrl: redis.url, dataDir })
  await server.ask('/api/me/credentials', { host: 'github.com', token: 'ghp_secret' }, { method: 'PUT' })
  const backups = join(place.path, 'backups')
  await mkdir(backups)
  await writeFile(join(backups, backupNameOf(Date.now() - 3_600_000)), '')
  const well: Env = {
    ERRAND_DATA_DIR: dataDir,
    ERRAND_PORT: new URL(server.url).port,
    ERRAND_BACKUP_DIR: backups,
    REDIS_URL: redis.url,
    ANTHROPIC_API_KEY: 'sk-good',
    ANTHROPIC_BASE_URL: outside.url,
    ERRAND_GIT_HOSTS: outside.url,
    RUNNER_IMAGE: process.env.RUNNER_IMAGE ?? 'errand-worker:latest',
    ...(process.env.DOCKER_HOST && { DOCKER_HOST: process.env.DOCKER_HOST }),
  }

  /** A runner that is heard from. */
  const hear = async (runner: Record<string, unknown> = {}) => {
    const headers = { authorization: `Bearer ${server.runnerToken}`, 'content-type': 'application/json' }
    const known = { id: 'runner-a', name: 'runner-a', slots: 2, contract: CONTRACT_VERSION }
    const body = JSON.stringify({ runner: { ...known, ...runner }, attempts: [] })
    expect((await fetch(server.url + RUNNER_PATHS.renew, { method: 'POST', headers, body })).status).toBe(200)
  }
  await hear()
  return {
    dataDir,
    outside,
    well,
    hear,
    /** What the doctor says of one fault. @param also the names of other checks that may find it, too; no others may find anything */
    diagnose: async (name: string, env: Env, also: readonly string[] = []): Promise<Line> => {
      const ill = (await examine({ ...well, ...env })).filter(({ state }) => state !== 'ok')
      expect(ill.filter((line) => line.name !== name && !also.includes(line.name))).toEqual([])
      const line = ill.find((one) => one.name === name)
      if (!line) throw new Error(`the check ${name} finds nothing`)
      return line
    },
    stop: async () => {
      await server.stop()
      await outside.close()
      await redis.stop()
      await place.remove()
    },
  }
}

/** The outside world: a model API that knows one key, and a git host. @param skewMs how far its clock is off */
export async function startOutside(skewMs = 0) {
  const http = createServer((request, response) => {
    const known = !request.url?.startsWith('/v1/') || request.headers['x-api-key'] === 'sk-good'
    response.sendDate = false
    response.writeHead(known ? 200 : 401, { date: new Date(Date.now() + skewMs).toUTCString() }).end('{}')
  })
  return listen(http)
}

/** @returns the name of an automatic backup of this time */
export function backupNameOf(time: number): string {
  return `errand-${new Date(time).toISOString().slice(0, 19).replaceAll(':', '-')}Z.backup`
}

/** All lines of `errand doctor --json`. */
export async function examine(env: Env): Promise<Line[]> {
  const { exit, out, err } = await errand(['doctor', '--json'], { env, home: HOME })
  expect(err).toBe('')
  const { ok, checks } = JSON.parse(out) as { ok: boolean; checks: Line[] }
  expect(exit).toBe(ok ? 0 : 1)
  expect(ok).toBe(checks.every(({ state }) => state !== 'fail'))
  for (const { state, cure } of checks) expect(state === 'ok').toBe(cure === undefined)
  return checks
}
