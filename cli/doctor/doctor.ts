import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { readArguments } from '../input/arguments.ts'
import type { Context } from '../server/context.ts'
import { EXIT } from '../server/faults.ts'
import { clean } from '../show/layout.ts'
import { lookAtBackups, lookAtDatabase, lookAtDisk, lookAtFolder, lookAtPushKeys, lookAtSecretKey, lookAtTokens } from './data.ts'
import { examine, type Finding, Ill } from './finding.ts'
import { type Dated, lookAtDns, lookAtGitHosts, lookAtModel, lookAtPublicUrl, lookAtTls } from './network.ts'
import { type Patient, readPatient } from './patient.ts'
import { judgeClock, lookAtEngine, lookAtImage, lookAtRedis, lookAtRunners, lookAtServer } from './services.ts'

const USAGE = 'errand doctor [--json]'

/** `errand doctor`: examines the server of this machine, which may run or not. Changes nothing. */
export async function doctor(args: readonly string[], context: Context): Promise<number> {
  const { values } = readArguments(args, { json: { type: 'boolean' } }, [], USAGE)
  const findings = await examineServer(context)
  const ok = findings.every(({ state }) => state !== 'fail')
  if (values.json) context.print(JSON.stringify({ ok, checks: findings }))
  else for (const finding of findings) context.print(lineOf(finding))
  return ok ? EXIT.completed : EXIT.failed
}

const WORDS = { ok: 'ok  ', warn: 'warn', fail: 'FAIL' } as const

function lineOf({ name, state, found, cure }: Finding): string {
  return `${WORDS[state]}  ${name.padEnd(13)} ${clean(found)}${cure === undefined ? '' : `\n${' '.repeat(20)}→ ${clean(cure)}`}`
}

/** @returns what each check found, in a fixed order */
export async function examineServer(context: Pick<Context, 'environment' | 'home'>): Promise<Finding[]> {
  let patient: Patient | null = null
  const settings = await examine(
    'settings',
    async () => {
      patient = readPatient(context)
      return existsSync(join(context.home, '.env')) ? '.env and the environment' : 'the environment; there is no .env'
    },
    'Correct these variables in .env; .env.example describes each.',
  )
  const own = await Promise.all([examine('node', lookAtNode, NODE_CURE), examine('app', () => lookAtApp(context.home), APP_CURE)])
  if (!patient) return [settings, ...own]
  return [settings, ...own, ...(await examinePatient(patient))]
}

async function examinePatient(patient: Patient): Promise<Finding[]> {
  const now = Date.now()
  const clocks: Dated[] = []
  const REPORT = 'This is a fault that Errand does not know: report it with this line.'
  const look = (name: string, work: (patient: Patient, now: number) => Promise<string>) =>
    examine(name, () => work(patient, now), REPORT)
  // One after the other, and first: SQLite blocks this process, so that answers of others would seem late.
  const stored = [
    await look('data folder', lookAtFolder),
    await look('disk', lookAtDisk),
    await look('database', lookAtDatabase),
    await look('secret key', lookAtSecretKey),
  ]
  const found = await Promise.all([
    look('tokens', lookAtTokens),
    look('push keys', lookAtPushKeys),
    look('backups', lookAtBackups),
    look('redis', async () => {
      const { found, time } = await lookAtRedis(patient)
      if (time !== null) clocks.push({ name: 'Redis', theirs: time, ours: Date.now() })
      return found
    }),
    look('engine', lookAtEngine),
    look('image', lookAtImage),
    look('dns', lookAtDns),
    look('tls', lookAtTls),
    look('public url', lookAtPublicUrl),
    look('model', async () => {
      const { found, dated } = await lookAtModel(patient)
      if (dated) clocks.push(dated)
      return found
    }),
    look('git hosts', async () => {
      const { found, dated } = await lookAtGitHosts(patient)
      clocks.push(...dated)
      return found
    }),
    look('server', lookAtServer),
    look('runners', lookAtRunners),
  ])
  // The answers of the others tell the time.
  return [...stored, ...found, await look('clock', async () => judgeClock(clocks))]
}

const NODE_CURE = 'Install a newer Node: https://nodejs.org'
const OLDEST = [
  [20, 19],
  [22, 12],
] as const

async function lookAtNode(): Promise<string> {
  const { node } = process.versions
  const [major = 0, minor = 0] = node.split('.').map(Number)
  const isOld = major < 20 || major === 21 || OLDEST.some(([m, least]) => major === m && minor < least)
  if (isOld) throw new Ill(`version ${node}; Errand needs 20.19, or 22.12 and newer`, NODE_CURE)
  return `version ${node}`
}

const APP_CURE = 'npm start builds it; or: npm run build --workspace app'

async function lookAtApp(home: string): Promise<string> {
  if (existsSync(join(home, 'app', 'dist', 'index.html'))) return 'built'
  throw new Ill('the app for browsers is not built: the server shows none', APP_CURE, 'warn')
}
