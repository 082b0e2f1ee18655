import type { Express, Request, RequestHandler, Response } from 'express'
import type { z } from 'zod'
import { type AnswerOf, ENDPOINTS, type Endpoint } from '../../contract/api/endpoints.ts'
import { type OperationId, type ParamNames, type ROUTES, routeOf } from '../../contract/api/routes.ts'
import type { User } from '../store/user.ts'
import { currentUser, requireAdmin } from './sign-in/authenticate.ts'

/**
 * Serves one call of the contract: parses what the caller sends with the endpoint's own schemas, once, and answers with its status.
 * @param before handlers that run first, such as a limit
 * @param handle resolves with the JSON of the answer
 */
export type Serve = <Id extends OperationId>(
  id: Id,
  handle: (call: Call<Id>) => Answer<Id> | Promise<Answer<Id>>,
  before?: readonly RequestHandler[],
) => void

export type Call<Id extends OperationId> = {
  params: Params<Id>
  query: Parsed<Id, 'query'>
  headers: Parsed<Id, 'headers'>
  body: Parsed<Id, 'body'>
  /** Only for endpoints that are not open to anybody. */
  user: User
  request: Request
  /** It already has the endpoint's status; a handler may set another. */
  response: Response
}

type Params<Id extends OperationId> = Readonly<Record<ParamNames<(typeof ROUTES)[Id]>[number], string>>
type Parsed<Id extends OperationId, Part extends 'query' | 'headers' | 'body'> =
  (typeof ENDPOINTS)[Id] extends Record<Part, infer Schema extends z.ZodType> ? z.output<Schema> : undefined
/** If the endpoint has no JSON answer, the handler's result is ignored: it sends bytes, a page or a redirect itself. */
type Answer<Id extends OperationId> = AnswerOf<Id> extends undefined ? unknown : AnswerOf<Id>

export function createServe(app: Express): Serve {
  return (id, handle, before = []) => {
    const endpoint: Endpoint = ENDPOINTS[id]
    const { method, path } = routeOf(id)
    const route = app.route(path)
    const guards = endpoint.access === 'admin' ? [requireAdmin, ...before] : before
    route[METHODS[method as keyof typeof METHODS]](...guards, async (request, response) => {
      const call = { ...parse(endpoint, request), request, response, params: request.params }
      response.status(endpoint.status)
      const answer = await handle(withUser(call, endpoint) as never)
      if (endpoint.answer) response.json(answer)
      else if (endpoint.status === 204) response.end()
    })
  }
}

const METHODS = { GET: 'get', POST: 'post', PUT: 'put', PATCH: 'patch', DELETE: 'delete' } as const

function withUser<T extends { request: Request }>(call: T, { access }: Endpoint): T & { user: User | undefined } {
  return { ...call, user: access === 'anybody' ? undefined : currentUser(call.request) }
}

/** @throws ZodError, which is answered as `invalid` */
function parse({ query, headers, body, bodyRequired }: Endpoint, request: Request) {
  return {
    query: query?.parse(request.query),
    headers: headers?.parse(Object.fromEntries(Object.keys(headers.shape).map((name) => [name, request.get(name)]))),
    body: body?.parse(bodyRequired === false ? (request.body ?? {}) : request.body),
  }
}
