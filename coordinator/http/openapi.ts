import { STATUS_CODES } from 'node:http'
import { OpenAPIRegistry, OpenApiGeneratorV31, type RouteConfig } from '@asteasolutions/zod-to-openapi'
import * as z from 'zod'
import { ENDPOINTS, type Endpoint } from '../../contract/api/endpoints.ts'
import { ErrorBody, type ErrorCode } from '../../contract/api/errors.ts'
import { type OperationId, ROUTES, routeOf } from '../../contract/api/routes.ts'
import { STATUS } from './errors.ts'
import { sessionCookieName } from './sign-in/session.ts'

/** The OpenAPI 3.1 description of everything that clients call, made from the schemas that parse the requests. */
export function describeApi(publicUrl: string): ReturnType<OpenApiGeneratorV31['generateDocument']> {
  const registry = new OpenAPIRegistry()
  registry.registerComponent('securitySchemes', 'token', {
    type: 'http',
    scheme: 'bearer',
    description: 'An API token: `npx errand token new NAME`, or POST /api/me/tokens.',
  })
  registry.registerComponent('securitySchemes', 'cookie', {
    type: 'apiKey',
    in: 'cookie',
    name: sessionCookieName({ publicUrl }),
    description: 'The session of a signed-in browser. A call that changes something must come from a page of this server.',
  })
  for (const id of Object.keys(ROUTES) as OperationId[]) registry.registerPath(describeCall(id))
  return new OpenApiGeneratorV31(registry.definitions).generateDocument({
    openapi: '3.1.0',
    info: {
      title: 'Errand',
      version: '1',
      description: 'Send a coding agent on an errand. Live events come over Socket.IO; this describes everything else.',
    },
    servers: [{ url: publicUrl }],
  })
}

const Failure = z.object({ error: ErrorBody })
const JSON_TYPE = 'application/json'

function describeCall(operationId: OperationId): RouteConfig {
  const endpoint: Endpoint = ENDPOINTS[operationId]
  const { method, path } = routeOf(operationId)
  const { tag, summary, access, query, headers, body, bodyType = JSON_TYPE, bodyRequired = true } = endpoint
  return {
    method: method.toLowerCase() as RouteConfig['method'],
    path: path.replace(/:(\w+)/g, '{$1}'),
    operationId,
    summary,
    tags: [tag],
    security: access === 'anybody' ? [] : [{ token: [] }, { cookie: [] }],
    request: {
      ...(path.includes(':') && { params: paramsOf(path) }),
      ...(query && { query }),
      ...(headers && { headers }),
      ...(body && { body: { required: bodyRequired, content: { [bodyType]: { schema: body } } } }),
    },
    responses: responsesOf(endpoint, errorsOf(endpoint, { method, path })),
  }
}

function responsesOf(endpoint: Endpoint, errors: readonly ErrorCode[]): RouteConfig['responses'] {
  const { status, alike = [], ranges } = endpoint
  const good = [status, ...alike, ...(ranges ? [206] : [])]
  return {
    ...Object.fromEntries(good.map((one) => [one, goodAnswer(endpoint, one)])),
    ...(ranges && { 416: failure(['invalid']) }),
    ...Object.fromEntries(
      errors.map((code) => [STATUS[code], failure(errors.filter((other) => STATUS[other] === STATUS[code]))]),
    ),
  }
}

/** @returns every error code that a call can return */
function errorsOf(endpoint: Endpoint, { method, path }: { method: string; path: string }): ErrorCode[] {
  const { access, body, query, errors = [] } = endpoint
  const isOpen = access === 'anybody'
  const when = (condition: unknown, ...codes: ErrorCode[]) => (condition ? codes : [])
  const all: ErrorCode[] = [
    ...when(!isOpen, 'unauthorized'),
    // The cookie came from a page of another site.
    ...when((!isOpen && method !== 'GET') || access === 'admin', 'forbidden'),
    // The call counts against a limit, and needs the store to identify the caller.
    ...when(!isOpen || path.startsWith('/auth/'), 'rate_limited', 'unavailable'),
    ...when(body || query, 'invalid'),
    ...when(body, 'too_large'),
    ...when(path.includes(':'), 'not_found'),
    ...errors,
    'internal',
  ]
  return [...new Set(all)]
}

function goodAnswer({ answer, answerType }: Endpoint, status: number) {
  const schema = answer ?? (answerType ? z.string() : undefined)
  return { description: STATUS_CODES[status] ?? '', ...(schema && { content: { [answerType ?? JSON_TYPE]: { schema } } }) }
}

/** An error answer with the codes it can have. */
function failure(codes: readonly ErrorCode[]) {
  return { description: codes.map((code) => `\`${code}\``).join(', '), content: { [JSON_TYPE]: { schema: Failure } } }
}

function paramsOf(path: string): z.ZodObject {
  return z.object(Object.fromEntries([...path.matchAll(/:(\w+)/g)].map(([, name = '']) => [name, z.string()])))
}
