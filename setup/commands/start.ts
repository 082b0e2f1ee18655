import { spawnSync } from 'node:child_process'
import { mkdir } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { linkNotes } from '../../cli/show/link-notes.ts'
import type { SignInLink } from '../../contract/api/api.ts'
import { buildApp } from '../build/app.ts'
import { claim } from '../process/claims.ts'
import { freePort, isFree } from '../process/free-port.ts'
import { endLeftOvers, leftOvers } from '../process/left-overs.ts'
import { type StopSignals, stopSignals } from '../process/stop-signals.ts'
import { findRedis, type RedisChoice } from '../redis/redis.ts'
import { endKeptRedis } from '../redis/redis-settings.ts'
import { banner, INDENT, slotsText } from '../stack/banner.ts'
import { type Environment, type Found, loadDotEnv, readEnvironment } from '../stack/environment.ts'
import { type Engine, prepareEngine } from '../stack/prepare.ts'
import { readServerFile, removeServerFile, writeServerFile } from '../stack/running.ts'
import { makeSignInLink } from '../stack/server.ts'
import { type Stack, startStack } from '../stack/stack.ts'

/** `npm start`: prepares this machine, then runs the server. @returns the exit code */
export async function main(): Promise<number> {
  loadDotEnv()
  const environment = readEnvironment(process.env)
  await mkdir(environment.dataDir, { recursive: true, mode: 0o700 })
  const start = claim(join(environment.dataDir, 'starts'))
  try {
    if (!(await isRunningAlready(environment, start.others()))) await prepareAndServe(environment)
  } finally {
    start.release()
  }
  return 0
}

async function prepareAndServe(environment: Environment): Promise<void> {
  const signals = stopSignals()
  const port = await choosePort(environment)
  await buildApp(environment.root)
  const engine = await prepareEngine(environment)
  try {
    const redis = await findRedis(environment.redisUrl, environment.dataDir)
    if (signals.stop.aborted) return
    await serve(environment, engine, redis, port, signals)
  } finally {
    await engine.docker.stop()
  }
}

async function serve(
  environment: Environment,
  engine: Engine,
  redis: RedisChoice,
  port: number,
  signals: StopSignals,
): Promise<void> {
  const found: Found = {
    port,
    redisUrl: redis.url,
    dockerHost: engine.docker.host,
    image: engine.image,
    npmRegistry: npmRegistry(),
    prettyLog: process.stdout.isTTY ?? false,
  }
  let stack: Stack | null = null
  let writing = Promise.resolve()
  const note = () => {
    if (!stack) return
    const file = { url: stack.url, token: stack.token, pids: { start: process.pid, ...stack.pids() } }
    writing = writing.then(() => writeServerFile(environment.dataDir, file)).catch(reportFault)
  }
  stack = await startStack(environment, redis, found, note)
  try {
    note()
    await writing
    console.log(await describe(environment, engine, redis, stack))
    await signals.stopped
  } finally {
    await stack.stop(signals.force, signals.isRestart() && !engine.docker.isOurs() ? 'SIGTERM' : 'SIGINT')
    await writing
    await removeServerFile(environment.dataDir)
  }
}

async function describe(environment: Environment, engine: Engine, redis: RedisChoice, stack: Stack): Promise<string> {
  const link = await makeSignInLink(stack.url, stack.token)
  return banner({
    url: environment.variables.ERRAND_PUBLIC_URL || stack.url,
    link: link.url,
    linkNotes: notesOn(link),
    hasModelKey: environment.hasModelKey,
    model: environment.model,
    slots: slotsText(environment.slots, availableParallelism()),
    redis: redis.label,
    docker: `engine ${engine.docker.version}${engine.docker.host ? ` at ${engine.docker.host}` : ''}`,
    image: environment.image ? `${engine.image} (RUNNER_IMAGE)` : engine.image,
    dataDir: environment.dataDir,
  })
}

/** The banner indents them. */
function notesOn(link: SignInLink): string[] {
  const { isTTY, columns } = process.stdout
  return linkNotes(link, { isTTY, columns: columns - INDENT }, process.env)
}

/**
 * If a start already runs, prints a new sign-in link. If one was killed, ends what it left behind.
 * @param others pids of living starts on this data folder
 * @throws Error if one of them is still preparing: what it has started so far would look left over
 */
async function isRunningAlready({ dataDir }: Environment, others: readonly number[]): Promise<boolean> {
  const file = await readServerFile(dataDir)
  if (file && others.includes(file.pids.start ?? 0)) {
    console.log(`Errand is already running at ${file.url} (pid ${file.pids.start}, data in ${dataDir}).`)
    const link = await makeSignInLink(file.url, file.token)
    console.log(['Sign in (this link works once):', link.url, ...notesOn(link)].join('\n'))
    return true
  }
  if (others.length > 0)
    throw new Error(
      `Another npm start (pid ${others.join(', ')}) is starting or stopping a server on ${dataDir}. Wait for it or stop it, then start again.`,
    )
  const left = leftOvers(dataDir)
  if (left.length > 0) console.log(`Stopping what an earlier start left behind: ${left.map(({ part }) => part).join(', ')}.`)
  await endLeftOvers(left)
  await endKeptRedis(join(dataDir, 'redis'))
  await removeServerFile(dataDir)
  return false
}

async function choosePort({ host, port }: Environment): Promise<number> {
  if (port === 0) return freePort(host)
  if (await isFree(host, port)) return port
  throw new Error(`Another program uses port ${port} on ${host}. Choose another port: ERRAND_PORT=${port + 1} npm start`)
}

/** This machine's npm registry, for the sandboxes too; null if npm names no usable one. */
function npmRegistry(): string | null {
  const answer = spawnSync('npm', ['config', 'get', 'registry'], { encoding: 'utf8' })
  const registry = (answer.stdout ?? '').trim().replace(/\/+$/, '')
  return /^https?:\/\//.test(registry) ? registry : null
}

function reportFault(error: unknown): void {
  console.error('server.json could not be written:', error)
}
