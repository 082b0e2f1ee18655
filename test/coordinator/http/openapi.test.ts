import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { EventType } from '../../../contract/api/event.ts'
import { ROUTES } from '../../../contract/api/routes.ts'
import { type HttpServer, startHttp } from '../../support/outside/http-server.ts'

type Operation = {
  security: unknown[]
  parameters?: Array<{ name: string; in: string }>
  requestBody?: { required: boolean; content: Record<string, { schema: { $ref?: string } }> }
  responses: Record<string, { description: string }>
  operationId: string
}
type Schema = { properties?: Record<string, { enum?: string[] }>; required?: string[] }
type Description = {
  openapi: string
  paths: Record<string, Record<string, Operation>>
  components: {
    schemas: Record<string, Schema>
    securitySchemes: Record<string, { in?: string; name?: string }>
  }
}

describe('the description of the API', () => {
  let server: HttpServer
  let api: Description
  beforeAll(async () => {
    server = await startHttp()
    api = (await (await fetch(`${server.url}/openapi.json`)).json()) as Description
  })
  afterAll(() => server.stop())

  it('lists every route that is mounted for clients, and no other', () => {
    const described = Object.entries(api.paths).flatMap(([path, item]) => Object.keys(item).map((method) => `${method} ${path}`))
    const mounted = server.app.router.stack.flatMap(({ route }) =>
      route && !route.path.startsWith('/runner/')
        ? route.stack.map(({ method }) => `${method} ${route.path.replace(/:(\w+)/g, '{$1}')}`)
        : [],
    )
    expect(mounted.length).toBeGreaterThan(25)
    // A route with a handler of its own before the last one shows once for each.
    expect(described.sort()).toEqual([...new Set(mounted)].sort())
  })

  it('is made from the schemas that parse the requests', () => {
    expect(api.openapi).toBe('3.1.0')
    expect(Object.keys(api.components.schemas)).toEqual(
      expect.arrayContaining(['CreateTask', 'Task', 'TaskPage', 'Event', 'EventPage', 'Error', 'PutCredential', 'SignInLink']),
    )
    const { properties, required } = api.components.schemas.SendMessage ?? {}
    expect({ properties, required }).toEqual({
      properties: expect.objectContaining({ stopFirst: expect.objectContaining({ type: 'boolean' }) }),
      required: ['text', 'mode', 'clientId'],
    })
    const create = api.paths['/api/tasks']?.post
    expect(create?.requestBody?.content['application/json']?.schema.$ref).toBe('#/components/schemas/CreateTask')
    const statuses = ['200', '201', '400', '401', '403', '409', '413', '429', '500', '503']
    expect(Object.keys(create?.responses ?? {}).sort()).toEqual(statuses)
    expect(create?.parameters).toEqual([expect.objectContaining({ name: 'Idempotency-Key', in: 'header' })])
    expect(api.paths['/api/tasks/{id}/events']?.get?.parameters?.map(({ name }) => name)).toEqual(['id', 'after', 'limit'])
  })

  it('names each operation once, by the name in the contract', () => {
    const named = Object.values(api.paths).flatMap((item) => Object.values(item).map(({ operationId }) => operationId))
    expect(named.sort()).toEqual(Object.keys(ROUTES).sort())
    expect(api.paths['/api/tasks/{id}/cancel']?.post?.operationId).toBe('cancelTask')
  })

  it('shows the data of each type of event, and that later types may come', () => {
    const { Event, ToolEndedEvent, LaterEvent } = api.components.schemas
    const refs = JSON.stringify(Event)
    for (const type of EventType.options) {
      const [name] =
        Object.entries(api.components.schemas).find(([, schema]) => schema.properties?.type?.enum?.[0] === type) ?? []
      expect([type, refs.includes(`#/components/schemas/${name}"`)]).toEqual([type, true])
    }
    expect(refs).toContain('#/components/schemas/LaterEvent"')
    expect(LaterEvent?.properties).toMatchObject({ type: { type: 'string' } })
    expect(ToolEndedEvent?.properties?.data).toMatchObject({ properties: { exitCode: { type: ['integer', 'null'] } } })
  })

  it('names the errors that a call can give, several of one status together', () => {
    const { responses } = api.paths['/api/tasks/{id}/messages']?.post ?? {}
    const errors = Object.entries(responses ?? {}).filter(([status]) => Number(status) >= 400)
    expect(Object.fromEntries(errors.map(([status, { description }]) => [status, description]))).toEqual({
      400: '`invalid`',
      401: '`unauthorized`',
      403: '`forbidden`',
      404: '`not_found`',
      409: '`conflict`',
      413: '`too_large`',
      429: '`rate_limited`',
      500: '`internal`',
      503: '`unavailable`',
    })
  })

  it('asks for a token exactly where the server does', async () => {
    for (const [path, item] of Object.entries(api.paths))
      for (const [method, { security }] of Object.entries(item)) {
        const address = path.replace(/\{\w+\}/g, 'x')
        const response = await fetch(server.url + address, { method: method.toUpperCase(), redirect: 'manual' })
        // Beyond ten a minute the limit on sign-in answers first; it is for anybody.
        const closed = response.status === 401
        if (response.status !== 429) expect([method, path, closed]).toEqual([method, path, security.length > 0])
        await response.arrayBuffer()
      }
  })

  it('knows the two ways to be somebody, and asks for no body where none is needed', () => {
    expect(api.components.securitySchemes.cookie).toMatchObject({ in: 'cookie', name: 'errand' })
    expect(api.paths['/api/me']?.get?.security).toEqual([{ token: [] }, { cookie: [] }])
    expect(api.paths['/api/tasks/{id}/retry']?.post?.requestBody?.required).toBe(false)
    expect(api.paths['/api/tasks']?.post?.requestBody?.required).toBe(true)
  })

  it('names the codes that a client can meet, and those alone', () => {
    const codes = 'invalid unauthorized forbidden not_found conflict rate_limited too_large unavailable internal'
    expect(api.components.schemas.Error?.properties).toMatchObject({ code: { enum: codes.split(' ') } })
  })

  it('is readable at /docs, with nothing from elsewhere', async () => {
    const html = await (await fetch(`${server.url}/docs`)).text()
    const addresses = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, address = '']) => address)
    expect(addresses).toContain('/docs/assets/swagger-ui-bundle.js')
    for (const address of addresses) {
      expect(address).toMatch(/^\//)
      const file = await fetch(server.url + address)
      expect([address, file.status, (await file.text()).length > 0]).toEqual([address, 200, true])
    }
  })
})
