import { STATUS_CODES } from 'node:http'
import { OpenAPIRegistry, OpenApiGeneratorV31, type RouteConfig } from '@asteasolutions/zod-to-openapi'
import { z } from 'zod'
import { ErrorBody, type ErrorCode } from '../../contract/api/errors.ts'
import { CALLS, type Call } from './api-calls.ts'
import { STATUS } from './errors.ts'
import { sessionCookieName } from './sign-in/session.ts'

/** The OpenAPI 3.1 description of everything that clients call, made from the very schemas that parse the requests. */
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
    description: 'The session of a browser that signed in. What changes something must come from a page of this server.',
  })
  for (const call of CALLS) registry.registerPath(describeCall(call))
  return new OpenApiGeneratorV31(registry.definitions).generateDocument({
    openapi: '3.1.0',
    info: {
      title: 'Errand',
      version: '1',
      description: 'Send a coding agent on an errand. Live events come by Socket.IO; this is everything else.',
    },
    servers: [{ url: publicUrl }],
  })
}

const Failure = z.object({ error: ErrorBody })

function describeCall(call: Call): RouteConfig {
  return {
    method: call.method,
    path: call.path.replace(/:(\w+)/g, '{$1}'),
    summary: call.summary,
    tags: [call.tag],
    security: isOpen(call) ? [] : [{ token: [] }, { cookie: [] }],
    request: {
      ...(hasParams(call) ? { params: paramsOf(call.path) } : {}),
      ...(call.query ? { query: call.query } : {}),
      ...(call.headers ? { headers: call.headers } : {}),
      ...(call.body
        ? { body: { required: call.bodyRequired ?? true, content: { [call.bodyType ?? JSON_TYPE]: { schema: call.body } } } }
        : {}),
    },
    responses: {
      ...Object.fromEntries(goodStatusesOf(call).map((status) => [status, answerOf(call, status)])),
      ...(call.ranges ? { 416: failureOf('invalid') } : {}),
      ...Object.fromEntries(errorsOf(call).map((code) => [STATUS[code], failureOf(code)])),
    },
  }
}

function isOpen(call: Call): boolean {
  return call.access === 'anybody'
}
function hasParams(call: Call): boolean {
  return call.path.includes(':')
}

function isForSomebody(call: Call): boolean {
  return !isOpen(call) || call.path.startsWith('/auth/')
}

function goodStatusesOf({ status, alike = [], ranges }: Call): number[] {
  return [status, ...alike, ...(ranges ? [206] : [])]
}

function errorsOf(call: Call): ErrorCode[] {
  return [
    ...(isOpen(call) ? [] : (['unauthorized'] as const)),
    // A cookie that a page of another site sent along.
    ...(isOpen(call) || call.method === 'get' ? [] : (['forbidden'] as const)),
    // Counted, and the store is asked whose it is.
    ...(isForSomebody(call) ? (['rate_limited', 'unavailable'] as const) : []),
    ...(call.body || call.query ? (['invalid'] as const) : []),
    ...(call.body ? (['too_large'] as const) : []),
    ...(hasParams(call) ? (['not_found'] as const) : []),
    ...(call.errors ?? []),
    'internal',
  ]
}

const JSON_TYPE = 'application/json'

function answerOf({ answer, answerType = JSON_TYPE }: Call, status: number) {
  return {
    description: STATUS_CODES[status] ?? '',
    ...(answer ? { content: { [answerType]: { schema: answer } } } : {}),
  }
}

function failureOf(code: ErrorCode) {
  return { description: `\`${code}\``, content: { [JSON_TYPE]: { schema: Failure } } }
}

function paramsOf(path: string): z.ZodObject {
  return z.object(Object.fromEntries([...path.matchAll(/:(\w+)/g)].map(([, name = '']) => [name, z.string()])))
}
