import { builtinModules } from 'node:module'
import { dirname } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { NOT_YET } from './support/checks/not-yet.ts'
import { circles, type Import, packageOf, readSources, targetFolder } from './support/checks/sources.ts'

/** The words that cross a border: every room may import them. */
const CONTRACT = ['contract/shared', 'contract/api', 'contract/wire']
/** The rooms that are clients of the API: each may import the room `client`. */
const CLIENTS = ['app', 'cli']

const STORE = ['coordinator/store', 'coordinator/store/accounts', 'coordinator/store/sqlite', 'coordinator/process']
/** What a call over HTTP may use, besides what HTTP needs itself. */
const USE_CASES = [
  ...below('coordinator', 'live', 'tasks', 'attempts', 'accounts', 'notify', 'artifacts', 'backup', 'ops', 'secrets'),
  ...STORE,
]

/** What a screen of the app may use, and what a part of a task's screens may. */
const DESIGN = below('app/src/design', 'icons', 'controls', 'feedback', 'dialogs', 'screen')
const SCREEN = ['app/src/text', 'app/src/client', 'app/src/client/storage', ...DESIGN, 'npm:*']
const TASK_PART = [...SCREEN, ...below('app/src/task', 'text', 'model')]

/**
 * What the files of each folder may import besides each other, `contract/` and Node: folders, without those below them, and packages
 * with `npm:` before their name; `*` is every folder of the room. The files of one folder import each other freely.
 */
const TABLE: Readonly<Record<string, readonly string[]>> = {
  'contract/shared': ['npm:zod'],
  'contract/api': ['npm:zod'],
  'contract/wire': ['npm:zod'],

  // What every client needs, wherever it runs: no packages.
  client: ['client/api'],
  'client/api': [],

  coordinator: ['*', 'npm:*'],
  'coordinator/http': [...below('coordinator/http', 'routes', 'sign-in', 'middleware', 'pages'), ...USE_CASES, 'npm:*'],
  'coordinator/http/routes': [
    'coordinator/http',
    ...below('coordinator/http', 'sign-in', 'middleware', 'pages'),
    ...USE_CASES,
    'npm:*',
  ],
  'coordinator/http/sign-in': ['coordinator/http', ...below('coordinator/http', 'middleware', 'pages'), ...USE_CASES, 'npm:*'],
  'coordinator/http/middleware': ['coordinator/http/sign-in', 'coordinator/process', 'npm:*'],
  'coordinator/http/pages': ['coordinator/process', 'npm:*'],
  'coordinator/live': ['coordinator/tasks', 'coordinator/accounts', 'coordinator/store', 'coordinator/process', 'npm:*'],
  'coordinator/intake': ['coordinator/attempts', 'coordinator/wire', ...STORE, 'npm:*'],
  'coordinator/reconcile': ['coordinator/attempts', 'coordinator/queue', ...STORE, 'npm:pino'],
  'coordinator/attempts': ['coordinator/tasks', 'coordinator/wire', 'coordinator/secrets', ...STORE, 'npm:*'],
  'coordinator/tasks': ['coordinator/queue', 'coordinator/wire', 'coordinator/artifacts', ...STORE, 'npm:*'],
  'coordinator/storage': ['coordinator/tasks', 'coordinator/artifacts', ...STORE, 'npm:pino'],
  'coordinator/queue': ['coordinator/wire', ...STORE, 'npm:*'],
  'coordinator/wire': [...STORE, 'npm:*'],
  'coordinator/notify': ['coordinator/live', 'coordinator/secrets', ...STORE, 'npm:*'],
  'coordinator/accounts': ['coordinator/secrets', ...STORE, 'npm:*'],
  'coordinator/artifacts': [...STORE, 'npm:*'],
  // The command line tool uses it as well, without a coordinator that runs.
  'coordinator/backup': ['coordinator/artifacts', 'coordinator/secrets', ...STORE, 'npm:*'],
  'coordinator/secrets': [...STORE, 'npm:*'],
  'coordinator/ops': [...STORE, 'npm:*'],
  'coordinator/demo': ['coordinator/demo/scripts', 'coordinator/process', 'npm:*'],
  'coordinator/demo/scripts': ['coordinator/demo'],
  'coordinator/store': ['coordinator/store/accounts', 'coordinator/store/sqlite', 'npm:kysely'],
  'coordinator/store/accounts': ['coordinator/secrets', 'coordinator/store', 'coordinator/store/sqlite', 'npm:kysely'],
  'coordinator/store/sqlite': ['coordinator/store/sqlite/migrations', 'npm:kysely', 'npm:better-sqlite3'],
  'coordinator/store/sqlite/migrations': ['npm:kysely'],
  'coordinator/process': ['npm:*'],

  runner: ['*', 'npm:*'],
  'runner/jobs': ['runner/attempt', 'runner/lease', 'runner/process', 'npm:*'],
  'runner/attempt': [
    'runner/output',
    'runner/river',
    'runner/gateway',
    'runner/patch',
    'runner/sandbox',
    'runner/lease',
    'runner/process',
    'npm:*',
  ],
  // What a person reviews, made outside of the sandbox by git on data alone.
  'runner/patch': ['runner/gateway', 'runner/gateway/git', 'npm:*'],
  'runner/health': ['runner/attempt', 'runner/sandbox', 'runner/process', 'npm:*'],
  'runner/river': ['runner/process', 'npm:*'],
  'runner/gateway': ['runner/gateway/git', 'runner/gateway/model', 'runner/lease', 'npm:*'],
  'runner/gateway/git': ['runner/gateway', 'npm:*'],
  'runner/gateway/model': ['runner/gateway', 'npm:*'],
  'runner/sandbox': ['runner/process', 'npm:*'],
  'runner/output': ['npm:*'],
  'runner/lease': ['runner/process', 'npm:*'],
  'runner/process': ['npm:*'],

  'worker-image': ['*'],
  'worker-image/supervisor': below('worker-image', 'turn', 'door', 'process'),
  'worker-image/turn': [
    ...below(
      'worker-image',
      'agents',
      'agents/own',
      'checkpoint',
      'conversation',
      'model',
      'hands',
      'workspace',
      'door',
      'process',
    ),
  ],
  'worker-image/agents': below('worker-image', 'workspace', 'door'),
  'worker-image/agents/own': below(
    'worker-image',
    ...[
      'agents',
      'conversation',
      'conversation/fit',
      'model',
      'hands',
      'workspace',
      'workspace/look',
      'door',
      'tools',
      'process',
    ],
  ),
  'worker-image/hands': [
    ...below('worker-image', 'checkpoint', 'workspace', 'workspace/look', 'tools', 'tools/reading', 'process'),
    'npm:zod',
  ],
  'worker-image/checkpoint': [...below('worker-image', 'workspace', 'workspace/look'), 'npm:zod'],
  // What the model API takes, and how a conversation is made so.
  'worker-image/conversation/fit': ['worker-image/model', 'worker-image/tools/reading'],
  'worker-image/conversation': [
    ...below('worker-image', 'checkpoint', 'conversation/fit', 'model', 'workspace', 'door', 'tools', 'process'),
    'worker-image/tools/reading',
  ],
  'worker-image/model': ['worker-image/door', 'worker-image/process', 'npm:@anthropic-ai/sdk'],
  'worker-image/workspace': below('worker-image', 'workspace/look', 'door', 'tools', 'process'),
  'worker-image/workspace/look': ['worker-image/workspace'],
  'worker-image/door': ['worker-image/tools', 'worker-image/process'],
  'worker-image/tools': below('worker-image', 'tools/editing', 'tools/reading', 'tools/shell', 'process'),
  // Pure: texts and lines.
  'worker-image/tools/editing': [],
  'worker-image/tools/reading': ['worker-image/tools'],
  'worker-image/tools/shell': below('worker-image', 'tools', 'process'),
  'worker-image/process': [],

  setup: ['setup/commands', 'setup/machine', 'npm:tsx'],
  // The words beside a sign-in link are those of `errand link`.
  'setup/commands': ['cli/show', 'npm:zod', ...below('setup', 'stack', 'build', 'redis', 'docker', 'machine', 'process')],
  'setup/stack': [...below('setup', 'build', 'redis', 'docker', 'machine', 'process'), 'npm:zod'],
  'setup/build': [...below('setup', 'redis', 'docker', 'machine', 'process'), 'npm:esbuild'],
  'setup/redis': [...below('setup', 'docker', 'machine', 'process'), 'npm:ioredis'],
  'setup/docker': below('setup', 'machine', 'process'),
  'setup/machine': ['setup/process'],
  'setup/process': [],

  bin: ['cli', 'npm:tsx'],
  cli: ['*'],
  'cli/commands': ['cli', ...below('cli', 'server', 'input', 'show'), 'npm:zod'],
  // What works on the server's own host, also when no server runs. It is loaded only when it is asked for.
  'cli/host': [...below('cli', 'server', 'input', 'show'), 'coordinator/backup'],
  'cli/doctor': [
    ...below('cli', 'server', 'input', 'show'),
    ...below('coordinator', 'backup', 'process', 'secrets', 'store/sqlite', 'wire'),
    ...['npm:zod', 'npm:pino'],
  ],
  'cli/input': [...below('cli', 'server', 'show')],
  'cli/show': ['cli/server', 'npm:uqr'],
  'cli/server': ['npm:socket.io-client', 'npm:zod'],

  app: ['npm:*'],
  'app/src': ['*', 'npm:*'],
  'app/src/text': [],
  'app/src/client': [...below('app/src', 'text', 'client/storage'), 'npm:*'],
  'app/src/client/storage': [...below('app/src', 'client'), 'npm:*'],
  'app/src/device': ['app/src/client', 'npm:*'],
  'app/src/sw': ['npm:*'],
  'app/src/design/icons': [],
  'app/src/design/controls': ['app/src/text', 'app/src/design/icons', 'npm:*'],
  'app/src/design/feedback': [...below('app/src', 'text', 'client', 'design/icons', 'design/controls'), 'npm:*'],
  'app/src/design/dialogs': [...below('app/src', 'text', 'design/controls', 'design/feedback'), 'npm:*'],
  'app/src/design/screen': [...below('app/src', 'text', 'client', 'design/icons', 'design/controls', 'design/feedback'), 'npm:*'],
  'app/src/admin': SCREEN,
  'app/src/new-task': SCREEN,
  'app/src/projects': SCREEN,
  'app/src/sign-in': SCREEN,
  'app/src/tasks': [...SCREEN, 'app/src/new-task'],
  'app/src/shell': [...SCREEN, 'app/src/device'],
  'app/src/settings': [...SCREEN, ...below('app/src', 'device', 'new-task', 'settings/signed-in')],
  'app/src/settings/signed-in': [...SCREEN, 'app/src/device'],
  'app/src/task': [...TASK_PART, ...below('app/src/task', 'composer', 'feed', 'feed/rows', 'feed/prose', 'header', 'status')],
  'app/src/task/composer': TASK_PART,
  'app/src/task/header': TASK_PART,
  'app/src/task/status': TASK_PART,
  'app/src/task/changes': [...TASK_PART, ...below('app/src', 'device', 'task/code', 'task/feed/rows')],
  'app/src/task/log': [...TASK_PART, 'app/src/task/code'],
  'app/src/task/feed': [...TASK_PART, ...below('app/src/task/feed', 'rows', 'work', 'prose')],
  'app/src/task/feed/work': [...TASK_PART, 'app/src/task/feed/rows'],
  'app/src/task/feed/rows': TASK_PART,
  'app/src/task/feed/prose': below('app/src/task', 'code', 'text', 'model').concat('npm:*'),
  'app/src/task/code': [...below('app/src', 'client', 'task/text'), 'npm:*'],
  'app/src/task/text': ['app/src/task/model'],
  // The feed as data, from the events: pure, nothing of it is drawn.
  'app/src/task/model': [],
}

const ROOMS = [...new Set(Object.keys(TABLE).map((folder) => folder.split('/')[0] ?? ''))]
const sources = await readSources(ROOMS)

describe('who imports whom', () => {
  it('has a row for every folder, and no row too many', () => {
    const folders = [...new Set(sources.map(({ folder }) => folder))]
    expect(folders.filter((folder) => !(folder in TABLE))).toEqual([])
    expect(Object.keys(TABLE).filter((folder) => !folders.includes(folder))).toEqual([])
    expect(sources.flatMap(({ imports }) => imports).length).toBeGreaterThan(200)
  })

  it('keeps to the table', () => {
    const found = breaches(sources.flatMap(({ imports }) => imports))
    expect(found.filter((breach) => !NOT_YET.breaches.includes(breach))).toEqual([])
    expect(NOT_YET.breaches.filter((breach) => !found.includes(breach))).toEqual([])
  })

  it('has no circle', () => {
    expect(circles(sources)).toEqual(NOT_YET.circles)
  })

  it('would notice a planted breach', () => {
    const planted = (file: string, from: string) => breaches([{ file, from, typeOnly: false }])
    expect(planted('worker-image/model/x.ts', '../../runner/start.ts')).toEqual([
      'worker-image/model/x.ts imports ../../runner/start.ts',
    ])
    expect(planted('coordinator/store/tasks.ts', '../tasks/tasks.ts')).toEqual([
      'coordinator/store/tasks.ts imports ../tasks/tasks.ts',
    ])
    expect(planted('contract/api/api.ts', 'ioredis')).toEqual(['contract/api/api.ts imports ioredis'])
    expect(planted('contract/api/api.ts', '../wire/job.ts')).toEqual(['contract/api/api.ts imports ../wire/job.ts'])
    expect(planted('cli/server/follow.ts', 'socket.io-client')).toEqual([])
    expect(packageOf('@scope/name/deep')).toBe('npm:@scope/name')
    const around = (file: string, from: string) => ({ file, imports: [{ file, from, typeOnly: true }] })
    expect(circles([around('cli/main.ts', './errand.ts'), around('cli/errand.ts', './main.ts')])).toEqual([
      'cli/errand.ts cli/main.ts',
    ])
  })
})

function below(folder: string, ...names: string[]): string[] {
  return names.map((name) => `${folder}/${name}`)
}

/** @returns the imports that the table does not allow, as sentences */
function breaches(imports: readonly Import[]): string[] {
  return imports
    .filter(({ file, from }) => !mayImport(dirname(file), from, file))
    .map(({ file, from }) => `${file} imports ${from}`)
}

function mayImport(folder: string, from: string, file: string): boolean {
  const allowed = TABLE[folder] ?? []
  if (from.startsWith('node:') || builtinModules.includes(from)) return true
  if (!from.startsWith('.')) return allowed.includes(packageOf(from)) || allowed.includes('npm:*')
  const wanted = targetFolder(file, from)
  const room = folder.split('/')[0] ?? ''
  if (room === 'contract') return CONTRACT.indexOf(wanted) >= 0 && CONTRACT.indexOf(wanted) <= CONTRACT.indexOf(folder)
  if (CLIENTS.includes(room) && wanted.split('/')[0] === 'client') return true
  if (wanted === folder || CONTRACT.includes(wanted) || allowed.includes(wanted)) return true
  return allowed.includes('*') && wanted.startsWith(`${room}/`)
}
