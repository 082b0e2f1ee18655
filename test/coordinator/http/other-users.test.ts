import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { ENDPOINTS, type Endpoint } from '../../../contract/api/endpoints.ts'
import { addressOf, type OperationId, ROUTES, routeOf } from '../../../contract/api/routes.ts'
import { type StaffedCoordinator, startStaffedCoordinator, type TestCoordinator } from '../../support/systems/coordinator.ts'
import { addUser } from '../../support/systems/people.ts'

/** Stands in everything that the owner has. */
const CANARY = 'canary-8c1f'
const HOST = `${CANARY}.example.org`
const REPO = `https://github.com/${CANARY}/name`
const PATCH = `diff --git a/a b/a\n--- a/a\n+++ b/a\n@@ -1 +1 @@\n-a\n+${CANARY}\n`

const PROTECTED = (Object.keys(ROUTES) as OperationId[]).filter((id) => endpointOf(id).access !== 'anybody')
const WITH_PARAMS = PROTECTED.filter((id) => paramsIn(id).length > 0)
const WITHOUT_PARAMS = PROTECTED.filter((id) => paramsIn(id).length === 0)
/** What the owner reads again after every attempt of another user. */
const READS = PROTECTED.filter((id) => routeOf(id).method === 'GET')

/** A body that each call takes; a new endpoint with a body needs one here. */
const BODIES: Partial<Record<OperationId, unknown>> = {
  createTask: { repoUrl: 'https://github.com/other/name', prompt: 'x' },
  sendMessage: { text: 'x', mode: 'queue', clientId: 'other' },
  changeTask: { budgetUsd: 50 },
  retryTask: {},
  createProject: { repoUrl: 'https://github.com/other/name' },
  changeMe: { ownBudgetUsd: 3 },
  putCredential: { host: 'other.example.org', token: 'other' },
  createToken: { name: 'other' },
  putNotifications: { onDone: false, onFailed: false, onAttention: false, webhookUrl: null },
  subscribe: { endpoint: 'https://other.example.org/1', keys: { p256dh: 'x', auth: 'y' } },
  unsubscribe: { endpoint: 'https://other.example.org/1' },
  changeRunner: { drain: 'hand_over' },
}

let staffed: StaffedCoordinator
let coordinator: TestCoordinator
/** The parameters of the owner's own things, by the path that they stand in. */
let owned: Record<string, Record<string, string>>
let others = 0

beforeAll(async () => {
  staffed = await startStaffedCoordinator()
  coordinator = staffed.coordinator
  owned = await fillWithCanaries()
})
// The attempt stays its runner's, so that the owner's task changes by nobody.
beforeEach(async () => {
  await staffed.calls.renew([{ taskId: owned.tasks?.id ?? '', attempt: 1 }])
})
afterAll(() => staffed.stop())

/** The owner has one of everything, a running task with its patch, its bundle and a whole output included. */
async function fillWithCanaries(): Promise<typeof owned> {
  const make = async (id: OperationId, body: unknown, params: string[] = []) =>
    JSON.parse((await ask(id, { token: coordinator.ownerToken, params, body })).text) as { id: string }
  const task = await make('createTask', { repoUrl: REPO, prompt: CANARY })
  await staffed.lease(task.id)
  for (const [kind, content] of [
    ['patch', PATCH],
    ['bundle', CANARY],
    [`output.${CANARY}`, CANARY],
  ] as const)
    await staffed.calls.keep({ taskId: task.id, attempt: 1 }, kind, content)
  const message = await make('sendMessage', { text: CANARY, mode: 'queue', clientId: CANARY }, [task.id])
  const project = await make('createProject', { repoUrl: REPO, name: CANARY })
  const token = await make('createToken', { name: CANARY })
  await make('putCredential', { host: HOST, username: CANARY, token: CANARY })
  return {
    tasks: { id: task.id, messageId: message.id, callId: CANARY },
    projects: { id: project.id },
    credentials: { host: HOST },
    tokens: { id: token.id },
    devices: { id: token.id },
  }
}

type Asked = { token?: string; params?: readonly string[]; body?: unknown }

async function ask(id: OperationId, { token, params = ownParamsOf(id), body }: Asked) {
  const response = await fetch(coordinator.url + addressOf(id, params), {
    method: routeOf(id).method,
    redirect: 'manual',
    headers: {
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      ...(body !== undefined && { 'content-type': 'application/json' }),
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  })
  const text = await response.text()
  return { status: response.status, text, code: /^\{"error":\{"code":"(\w+)"/.exec(text)?.[1] ?? null }
}

/** Each call comes from a user of its own, since one of them signs its user out everywhere. */
function askAsAnother(id: OperationId) {
  others += 1
  return ask(id, { token: addUser(coordinator.config.dataDir, `other${others}`), body: BODIES[id] })
}

function ownParamsOf(id: OperationId): string[] {
  const place = routeOf(id).path.match(/\/(\w+)\/:/)?.[1] ?? ''
  return paramsIn(id).map((name) => owned[place]?.[name] ?? `no ${name} of the owner is known for ${id}`)
}

function paramsIn(id: OperationId): string[] {
  return [...routeOf(id).path.matchAll(/:(\w+)/g)].map(([, name = '']) => name)
}

function endpointOf(id: OperationId): Endpoint {
  return ENDPOINTS[id]
}

/** The overview counts the users, and those come with every call here; the free space changes at any time. */
const CHANGING: readonly OperationId[] = ['findOverview', 'findStorage']

/** What the owner sees; without the times at which somebody last called. */
async function ownersView(): Promise<Record<string, string>> {
  const seen: Record<string, string> = {}
  for (const id of READS) {
    if (CHANGING.includes(id)) continue
    const { status, text } = await ask(id, { token: coordinator.ownerToken })
    seen[id] = `${status} ${text.replace(/"(lastUsedAt|lastSeenAt|seenAt)":("[^"]*"|null)/g, '')}`
  }
  return seen
}

describe('a call that is not open to anybody', () => {
  it('is tried here, whichever it is', () => {
    expect(WITH_PARAMS).toEqual(expect.arrayContaining(['findTask', 'findChanges', 'downloadOutput', 'deleteCredential']))
    expect(PROTECTED.filter((id) => endpointOf(id).body && !(id in BODIES))).toEqual([])
  })

  it('has something to find: the owner gets each of their things', async () => {
    const found = Object.entries(await ownersView()).filter(([id]) => id !== 'findNotifications')
    expect(found.filter(([, answer]) => !answer.startsWith('200'))).toEqual([])
    const withCanary = found.filter(([, answer]) => answer.includes(CANARY)).map(([id]) => id)
    expect(withCanary).toEqual(expect.arrayContaining(READS.filter((id) => id !== 'listEvents' && paramsIn(id).length > 0)))
  })

  it.each(PROTECTED)('refuses a caller who shows no token: %s', async (id) => {
    const { status, code, text } = await ask(id, { body: BODIES[id] })
    expect({ status, code }).toEqual({ status: 401, code: 'unauthorized' })
    expect(text).not.toContain(CANARY)
  })

  it.each(WITH_PARAMS)(
    'answers another user not_found, or forbidden where it is for admins, and changes nothing: %s',
    async (id) => {
      const before = await ownersView()
      const { status, code, text } = await askAsAnother(id)
      const isForAdmins = endpointOf(id).access === 'admin'
      expect({ status, code }).toEqual(isForAdmins ? { status: 403, code: 'forbidden' } : { status: 404, code: 'not_found' })
      expect(text).not.toContain(CANARY)
      expect(await ownersView()).toEqual(before)
    },
  )

  it.each(WITHOUT_PARAMS)('shows another user nothing of the owner, and changes nothing of theirs: %s', async (id) => {
    const before = await ownersView()
    const { status, text } = await askAsAnother(id)
    expect(status).not.toBe(401)
    expect(status).toBeLessThan(500)
    if (endpointOf(id).access === 'admin') expect(status).toBe(403)
    expect(text).not.toContain(CANARY)
    expect(await ownersView()).toEqual(before)
  })
})
