import type { ErrorRequestHandler, RequestHandler } from 'express'
import type { ErrorBody, ErrorCode } from '../../contract/api/errors.ts'
import { Refusal, refusalOf } from '../process/errors.ts'
import { html, page } from './pages/html.ts'

/** The one table from a fault's code to HTTP. */
export const STATUS: Readonly<Record<ErrorCode, number>> = {
  invalid: 400,
  unauthorized: 401,
  forbidden: 403,
  not_found: 404,
  conflict: 409,
  too_large: 413,
  rate_limited: 429,
  internal: 500,
  unavailable: 503,
}

/** Answers every fault in one shape; a browser that opened a page gets a page. The text of an unknown fault goes only to the log. */
export const answerErrors: ErrorRequestHandler = (error, request, response, _next) => {
  const refusal = httpRefusalOf(error)
  const isOurs = (refusal.code === 'internal' || refusal.code === 'unavailable') && !isGone(error)
  request.log[isOurs ? 'error' : 'debug']({ event: 'http.refused', code: refusal.code, why: refusal.message, err: refusal.cause })
  // Half of the body is already sent, so it cannot become an error. The client sees that it was cut off.
  if (response.headersSent) return void response.destroy()
  const body: ErrorBody = {
    code: refusal.code,
    message: refusal.message,
    requestId: String(request.id),
    ...(refusal.details === undefined ? {} : { details: refusal.details }),
  }
  // Clients that read ranges recognise a range beyond the end by this status. It is not one of our codes.
  response.status(isHttpError(error) && error.status === 416 ? 416 : STATUS[refusal.code])
  if (isForPrograms(request.path) || request.accepts(['json', 'html']) !== 'html') response.type('json').json({ error: body })
  else response.type('html').send(errorPage(body))
}

export const answerNotFound: RequestHandler = (request) => {
  throw new Refusal('not_found', `There is nothing at ${request.method} ${request.path}. The calls are listed at /docs.`)
}

/** Adds the faults of HTTP itself to those of every caller. */
function httpRefusalOf(error: unknown): Refusal {
  return isHttpError(error) ? readingFault(error) : refusalOf(error)
}

type HttpError = Error & { status: number; type?: string; limit?: number }

/** The body parsers, the router and file sending throw these (http-errors); `expose` says that the text is meant for the client. */
function isHttpError(error: unknown): error is HttpError {
  if (!(error instanceof Error)) return false
  const { status, expose } = error as { status?: unknown; expose?: unknown }
  return typeof status === 'number' && status >= 400 && status < 500 && (expose === true || error instanceof URIError)
}

function readingFault({ status, type, limit, message }: HttpError): Refusal {
  if (status === 404) return new Refusal('not_found', 'The file does not exist, or is gone.')
  if (status === 413) return new Refusal('too_large', `The body is too large${limit ? ` (max ${limit} bytes)` : ''}. Send less.`)
  // The parser's own message quotes the input, which may be a secret.
  if (type === 'entity.parse.failed') return new Refusal('invalid', 'The body is not valid JSON.')
  return new Refusal('invalid', `${message}.`)
}

/** The client closed the connection before it had everything. */
function isGone(error: unknown): boolean {
  return (error as NodeJS.ErrnoException)?.code === 'ERR_STREAM_PREMATURE_CLOSE'
}

function isForPrograms(path: string): boolean {
  return /^\/(api|runner|demo)\//.test(path)
}

function errorPage(error: ErrorBody): string {
  return page({
    title: "Couldn't load this",
    body: html`<h1>Couldn't load this</h1>
      <p>${error.message}</p>
      <p class="quiet">Request ${error.requestId} · <a href="/">Open Errand</a></p>`,
  })
}
