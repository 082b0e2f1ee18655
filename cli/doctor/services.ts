import { readFileSync } from 'node:fs'
import { request } from 'node:http'
import { join } from 'node:path'
import { pino } from 'pino'
import * as z from 'zod'
import { Overview } from '../../contract/api/overview.ts'
import { connectRedis } from '../../coordinator/wire/redis.ts'
import { Ill, PATIENCE_MS, reasonOf } from './finding.ts'
import type { Patient } from './patient.ts'

/** How far two clocks may be apart: leases and sign-in links are checked to the second, but bear this. */
const CLOCK_WARN_MS = 5_000
const CLOCK_FAIL_MS = 30_000

/** @returns what it found, and what Redis says the time is, milliseconds since 1970; null: it was not asked */
export async function lookAtRedis({ redisUrl, inCompose }: Patient): Promise<{ found: string; time: number | null }> {
  if (redisUrl === null) return { found: 'npm start runs one of its own beside the data, when it runs', time: null }
  const links = await connectRedis(redisUrl, pino({ level: 'silent' })).catch((error: Error) => {
    const [found = '', ...cure] = error.message.split(/(?<=[.)])\s+(?=[A-Z])|; (?=Errand needs)/)
    throw new Ill(found, cure.join(' ') || `Start Redis, or correct REDIS_URL.`)
  })
  try {
    await links.proveWritable().catch((error: Error) => {
      throw new Ill(
        `Redis takes no writes: ${error.message.slice(0, 200)}`,
        `Give it more memory or disk (redis-cli info memory, redis-cli info persistence)${inCompose ? ', in docker-compose.yml' : ''}. It must be a primary, not a replica.`,
      )
    })
    const info = await links.commands.info()
    const field = (name: string) => new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(info)?.[1] ?? ''
    const [seconds = 0, micros = 0] = (await links.commands.time()).map(Number)
    const most = Number(field('maxmemory'))
    const used = `${field('used_memory_human')}${most > 0 ? ` of ${field('maxmemory_human')}` : ''}`
    if (most > 0 && Number(field('used_memory')) > most * 0.9)
      throw new Ill(
        `Redis has used ${used}: it will refuse writes`,
        'Raise its maxmemory: redis-cli config set maxmemory 512mb, and the same in redis.conf.',
        'warn',
      )
    return {
      found: `version ${field('redis_version')}, ${field('maxmemory_policy') || 'noeviction'}, ${used}`,
      time: seconds * 1_000 + micros / 1_000,
    }
  } finally {
    links.close()
  }
}

/**
 * Pure. Compares this machine's clock with those of others.
 * @param others milliseconds since 1970 by the clock of each, and by ours at the same moment
 */
export function judgeClock(others: readonly { name: string; theirs: number; ours: number }[]): string {
  const off = others.map(({ name, theirs, ours }) => ({ name, ms: ours - theirs }))
  const wrong = off.filter(({ ms }) => Math.abs(ms) > CLOCK_WARN_MS)
  if (off.length === 0) return 'nothing answered that it could be compared with'
  const names = (list: typeof off) => list.map(({ name }) => name).join(', ')
  if (wrong.length === 0) return `agrees with ${names(off)}`
  const worst = wrong.reduce((a, b) => (Math.abs(b.ms) > Math.abs(a.ms) ? b : a))
  const seconds = `${Math.round(Math.abs(worst.ms) / 1_000)} s`
  // If most others agree with us, the fault is theirs.
  if (wrong.length * 2 < off.length)
    throw new Ill(
      `the clock of ${names(wrong)} is ${seconds} ${worst.ms > 0 ? 'slow' : 'fast'}`,
      'Set the clock of that host.',
      'warn',
    )
  throw new Ill(
    `this machine is ${seconds} ${worst.ms > 0 ? 'fast' : 'slow'}, compared with ${names(wrong)}`,
    'Set the clock: timedatectl set-ntp true (or install chrony).',
    Math.abs(worst.ms) > CLOCK_FAIL_MS ? 'fail' : 'warn',
  )
}

/** Asks the engine as the runner does. */
export async function lookAtEngine(patient: Patient): Promise<string> {
  if (patient.inCompose) return 'on the hosts of the runners; their own checks are under “runners”'
  const answer = await askEngine(patient, '/version').catch((error: Error) => {
    const denied = (error as NodeJS.ErrnoException).code === 'EACCES'
    throw new Ill(
      `no Docker engine answers at ${engineOf(patient)} (${reasonOf(error)})`,
      denied
        ? 'Let this user use Docker: sudo usermod -aG docker "$USER", then log in again.'
        : 'Start it: sudo systemctl start docker. If it is elsewhere, set DOCKER_HOST.',
    )
  })
  const { Version } = JSON.parse(answer.body) as { Version?: string }
  return `version ${Version} at ${engineOf(patient)}`
}

export async function lookAtImage(patient: Patient): Promise<string> {
  if (patient.inCompose) return 'on the hosts of the runners'
  const named = patient.environment.RUNNER_IMAGE
  const image = named || 'errand-worker:latest'
  const { status } = await askEngine(patient, `/images/${encodeURIComponent(image)}/json`).catch(() => {
    throw new Ill(`${image}: no Docker engine answers`, 'See “engine”.')
  })
  if (status === 200) return image
  throw new Ill(
    `the sandbox image ${image} is not on this engine`,
    named
      ? `docker pull ${image}, or remove RUNNER_IMAGE: then npm start builds one.`
      : 'npm start builds it (npm run runner on the host of another runner).',
  )
}

function engineOf({ environment }: Patient): string {
  return environment.DOCKER_HOST || 'unix:///var/run/docker.sock'
}

function askEngine(patient: Patient, path: string): Promise<{ status: number; body: string }> {
  const address = engineOf(patient)
  const where = address.startsWith('unix://')
    ? { socketPath: address.slice('unix://'.length) }
    : { host: new URL(address.replace(/^tcp:/, 'http:')).hostname, port: new URL(address.replace(/^tcp:/, 'http:')).port }
  return new Promise((done, fail) => {
    const ask = request({ ...where, path, timeout: PATIENCE_MS }, (response) => {
      let body = ''
      response.setEncoding('utf8').on('data', (piece) => (body += piece))
      response.once('end', () => done({ status: response.statusCode ?? 0, body })).once('error', fail)
    })
    ask
      .once('timeout', () => ask.destroy(new Error('it does not answer')))
      .once('error', fail)
      .end()
  })
}

const Ready = z.object({ status: z.string(), store: z.boolean(), redis: z.boolean() })

/** @returns what it found, and the time by the server's clock */
export async function lookAtServer({ localUrl, inCompose }: Patient): Promise<string> {
  const start = inCompose ? 'docker compose up -d' : 'npm start'
  const answer = await fetch(`${localUrl}/readyz`, { signal: AbortSignal.timeout(PATIENCE_MS) }).catch((error: Error) => {
    throw new Ill(
      `no server answers at ${localUrl} (${reasonOf(error)})`,
      `Start it: ${start}. The other lines say what would keep it from starting.`,
    )
  })
  const ready = Ready.safeParse(await answer.json().catch(() => null)).data
  if (!ready)
    throw new Ill(
      `something else than Errand answers at ${localUrl}`,
      'Stop that program, or give Errand another port (ERRAND_PORT).',
    )
  if (!ready.store) throw new Ill('the server cannot write its database', 'See “disk” and “database”.')
  if (!ready.redis) throw new Ill('the server cannot use Redis', 'See “redis”. The server goes on by itself once Redis is back.')
  return `answers at ${localUrl}`
}

/** The runners, and whether all parts have the same version. */
export async function lookAtRunners({ localUrl, home, config }: Patient): Promise<string> {
  const overview = await readOverview(localUrl, config.dataDir)
  const own = (JSON.parse(readFileSync(join(home, 'package.json'), 'utf8')) as { version: string }).version
  if (overview.version !== own)
    throw new Ill(`the server runs version ${overview.version}, and this folder has ${own}`, 'Restart the server.', 'warn')
  const connected = overview.runners.filter((runner) => runner.connected)
  if (connected.length === 0)
    throw new Ill('no runner is connected: tasks wait', 'npm start starts one; on another host: npm run runner.')
  for (const { name, unwell } of connected)
    if (unwell?.reason === 'runner_outdated')
      throw new Ill(
        `the runner ${name} is older than the server and gets no tasks`,
        `Update it: git pull && npm run runner on its host.`,
        stateOf(connected),
      )
  const ill = connected.find(({ unwell }) => unwell)
  if (ill?.unwell)
    throw new Ill(
      `the runner ${ill.name} takes no tasks: ${ill.unwell.message || ill.unwell.reason}`,
      ill.unwell.reasonText,
      stateOf(connected),
    )
  return `${connected.length} connected, with ${connected.reduce((sum, { slots }) => sum + slots, 0)} slots, version ${own}`
}

/** One that is well is enough for tasks to go on. */
function stateOf(connected: Overview['runners']): 'warn' | 'fail' {
  return connected.some(({ unwell }) => !unwell) ? 'warn' : 'fail'
}

async function readOverview(url: string, dataDir: string): Promise<Overview> {
  let token: string
  try {
    token = readFileSync(join(dataDir, 'owner-token'), 'utf8').trim()
  } catch {
    throw new Ill('not known: the owner’s token cannot be read', 'See “tokens”.', 'warn')
  }
  const headers = { authorization: `Bearer ${token}` }
  const answer = await fetch(`${url}/api/admin/overview`, { headers, signal: AbortSignal.timeout(PATIENCE_MS) }).catch(() => {
    throw new Ill('not known: no server answers', 'See “server”.', 'warn')
  })
  const overview = Overview.safeParse(await answer.json().catch(() => null)).data
  if (!overview)
    throw new Ill(`not known: the server answered ${answer.status}`, 'Restart the server, then run this again.', 'warn')
  return overview
}
