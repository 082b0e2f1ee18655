import { randomUUID } from 'node:crypto'
import type { Request, RequestHandler, Response } from 'express'
import type { Logger } from 'pino'
import { pinoHttp } from 'pino-http'

/**
 * Logs one fact for each request: only the path of the address, because queries contain sign-in codes, and no header or body. The id is
 * ours, never the caller's, and is returned in `X-Request-Id`.
 */
export function logRequests(log: Logger): RequestHandler {
  const facts = (request: Request, response: Response, { responseTime }: { responseTime: number }) => ({
    event: 'http.answered',
    method: request.method,
    path: pathOf(request),
    status: response.statusCode,
    durationMs: responseTime,
    ...(request.user ? { userId: request.user.id } : {}),
    ...(response.writableFinished ? {} : { cut: true }),
  })
  return pinoHttp<Request, Response>({
    logger: log,
    genReqId: (_request, response) => {
      const id = randomUUID()
      response.setHeader('X-Request-Id', id)
      return id
    },
    quietReqLogger: true,
    quietResLogger: true,
    customAttributeKeys: { reqId: 'requestId' },
    customLogLevel: (request, response) => (isOurFault(response) ? 'error' : isPolled(request) ? 'debug' : 'info'),
    customSuccessObject: facts,
    customErrorObject: (request, response, _error, value) => facts(request, response, value),
    // The type wants a sentence; a fact has none.
    customSuccessMessage: () => undefined as unknown as string,
    customErrorMessage: () => undefined as unknown as string,
  })
}

function isOurFault({ statusCode }: Response): boolean {
  return statusCode >= 500
}

function pathOf(request: Request): string {
  return request.originalUrl.replace(/\?.*/s, '')
}

/** Calls that supervisors and runners make every few seconds. */
function isPolled(request: Request): boolean {
  return /^\/(healthz|readyz|metrics|runner\/renew)$/.test(pathOf(request))
}
