/**
 * Every call of the API by its name, which is also its `operationId`. `endpoints.ts` defines the input and output of each. This list is
 * separate so that a phone can make a call before it has loaded the schemas. Runners have calls of their own, in `contract/wire/`.
 */
export const CALLS = {
  createTask: 'POST /api/tasks',
  listTasks: 'GET /api/tasks',
  findTask: 'GET /api/tasks/:id',
  changeTask: 'PATCH /api/tasks/:id',
  deleteTask: 'DELETE /api/tasks/:id',
  listEvents: 'GET /api/tasks/:id/events',
  listMessages: 'GET /api/tasks/:id/messages',
  sendMessage: 'POST /api/tasks/:id/messages',
  withdrawMessage: 'DELETE /api/tasks/:id/messages/:messageId',
  downloadDiff: 'GET /api/tasks/:id/diff',
  findChanges: 'GET /api/tasks/:id/changes',
  downloadOutput: 'GET /api/tasks/:id/outputs/:callId',
  downloadBundle: 'GET /api/tasks/:id/bundle',
  cancelTask: 'POST /api/tasks/:id/cancel',
  retryTask: 'POST /api/tasks/:id/retry',

  listProjects: 'GET /api/projects',
  createProject: 'POST /api/projects',
  deleteProject: 'DELETE /api/projects/:id',

  findMe: 'GET /api/me',
  changeMe: 'PATCH /api/me',
  listCredentials: 'GET /api/me/credentials',
  putCredential: 'PUT /api/me/credentials',
  deleteCredential: 'DELETE /api/me/credentials/:host',
  listTokens: 'GET /api/me/tokens',
  createToken: 'POST /api/me/tokens',
  revokeToken: 'DELETE /api/me/tokens/:id',
  listDevices: 'GET /api/me/devices',
  revokeDevice: 'DELETE /api/me/devices/:id',
  revokeAllDevices: 'POST /api/me/devices/sign-out-everywhere',

  findNotifications: 'GET /api/me/notifications',
  putNotifications: 'PUT /api/me/notifications',
  testNotifications: 'POST /api/me/notifications/test',
  subscribe: 'POST /api/me/push/subscriptions',
  unsubscribe: 'DELETE /api/me/push/subscriptions',

  findSignInWays: 'GET /auth/ways',
  createSignInLink: 'POST /auth/links',

  findOverview: 'GET /api/admin/overview',
  changeRunner: 'PATCH /api/admin/runners/:id',
  findStorage: 'GET /api/admin/storage',
  checkHealth: 'GET /healthz',
  checkReadiness: 'GET /readyz',
  readMetrics: 'GET /metrics',
  describeApi: 'GET /openapi.json',
} as const

/** What a browser opens as a page or sends as a form. */
export const PAGES = {
  signInByGithub: 'GET /auth/github',
  returnFromGithub: 'GET /auth/github/callback',
  openSignInLink: 'GET /auth/link',
  signInByLink: 'POST /auth/link',
  signOut: 'POST /auth/logout',
  readDocs: 'GET /docs',
  openApp: 'GET /',
} as const

export const ROUTES = { ...CALLS, ...PAGES } as const

export type CallId = keyof typeof CALLS
export type OperationId = keyof typeof ROUTES

/** @returns the two halves of an entry; the path has `:name` for each parameter */
export function routeOf(id: OperationId): { method: string; path: string } {
  const [method = '', path = ''] = ROUTES[id].split(' ')
  return { method, path }
}

/** @returns the path with the parameters filled in, in their order, and the query behind it */
export function addressOf(id: OperationId, params: readonly string[] = [], query: Query = {}): string {
  const rest = [...params]
  const path = routeOf(id).path.replace(/:\w+/g, () => encodeURIComponent(rest.shift() ?? ''))
  const given = new URLSearchParams()
  for (const [name, value] of Object.entries(query)) if (value !== undefined && value !== '') given.set(name, String(value))
  return given.size === 0 ? path : `${path}?${given}`
}

export type Query = Readonly<Record<string, string | number | undefined>>

/** Names of the parameters in a path, in their order. */
export type ParamNames<Path extends string> = Path extends `${string}:${infer Name}/${infer Rest}`
  ? [Name, ...ParamNames<Rest>]
  : Path extends `${string}:${infer Name}`
    ? [Name]
    : []
