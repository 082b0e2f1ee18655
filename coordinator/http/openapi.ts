import { STATUS_CODES } from 'node:http'
import { OpenAPIRegistry, OpenApiGeneratorV31, type RouteConfig } from '@asteasolutions/zod-to-openapi'
import { z } from 'zod'
import { ErrorBody, type ErrorCode } from '../../contract/errors.ts'
import { CALLS, type Call } from './api-calls.ts'
import { STATUS } from './errors.ts'

/** The OpenAPI 3.1 description of everything that clients call, made from the very schemas that parse the requests. */
export const describeApi = (publicUrl: string): ReturnType<OpenApiGeneratorV31['generateDocument']> => {
  const registry = new OpenAPIRegistry()
  registry.registerComponent('securitySchemes', 'token', {
    type: 'http',
    scheme: 'bearer',
    description: 'An API token: `npx errand token`, or POST /api/me/tokens.',
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

const describeCall = (call: Call): RouteConfig => ({
  method: call.method,
  path: call.path.replace(/:(\w+)/g, '{$1}'),
  summary: call.summary,
  tags: [call.tag],
  security: isOpen(call) ? [] : [{ token: [] }],
  request: {
    ...(hasParams(call) ? { params: paramsOf(call.path) } : {}),
    ...(call.query ? { query: call.query } : {}),
    ...(call.headers ? { headers: call.headers } : {}),
    ...(call.body ? { body: { required: true, content: { [call.bodyType ?? JSON_TYPE]: { schema: call.body } } } } : {}),
  },
  responses: {
    [call.status]: answerOf(call),
    ...Object.fromEntries(errorsOf(call).map((code) => [STATUS[code], failureOf(code)])),
  },
})

const isOpen = (call: Call): boolean => call.access === 'anybody'
const hasParams = (call: Call): boolean => call.path.includes(':')

const errorsOf = (call: Call): ErrorCode[] => [
  ...(isOpen(call) ? [] : (['unauthorized', 'rate_limited'] as const)),
  ...(call.body || call.query ? (['invalid'] as const) : []),
  ...(hasParams(call) ? (['not_found'] as const) : []),
  ...(call.status === STATUS.not_implemented ? (['not_implemented'] as const) : []),
  ...(call.errors ?? []),
  'internal',
]

const JSON_TYPE = 'application/json'

const answerOf = ({ status, answer, answerType = JSON_TYPE }: Call) => ({
  description: STATUS_CODES[status] ?? '',
  ...(answer ? { content: { [answerType]: { schema: answer } } } : {}),
})

const failureOf = (code: ErrorCode) => ({ description: `\`${code}\``, content: { [JSON_TYPE]: { schema: Failure } } })

const paramsOf = (path: string): z.ZodObject =>
  z.object(Object.fromEntries([...path.matchAll(/:(\w+)/g)].map(([, name = '']) => [name, z.string()])))
