import type { OutgoingHttpHeaders } from 'node:http'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { Logger } from 'pino'
import type { NewEvent } from '../../../contract/api/event.ts'
import { DOOR_PATHS } from '../../../contract/wire/names.ts'
import { answer, type Call, type Endpoint, pickHeaders, TooManyBytes } from '../endpoint.ts'
import type { ConfirmLease } from '../fence.ts'
import { failureText, type Upstream } from '../upstream.ts'
import { createGitHost, type Repository } from './git-host.ts'
import { type PushOptions, push } from './push.ts'

export type GitOptions = {
  repository: Repository
  taskId: string
  confirmLease: ConfirmLease
  upstream: Upstream
  emit: (event: NewEvent) => void
  log: Logger
  maxPushBytes?: number
}

/** The most bytes of one push: more than any change by an agent, and less than hosts refuse. */
const PUSH_BYTES = 1024 * 1024 * 1024

/**
 * git's smart HTTP (git, `gitprotocol-http`) to one repository, with its credentials added here. The sandbox may fetch everything. It may
 * push only below the task's prefix, and only while the lease is ours. Raw paths are compared, so nothing encoded, doubled or climbing
 * matches.
 */
export function serveGit({ repository, upstream, maxPushBytes = PUSH_BYTES, ...options }: GitOptions): Endpoint {
  const host = createGitHost(repository, upstream)
  const pushing: PushOptions = { ...options, host, maxPushBytes }

  const relay = async (call: Call, path: string, headers: OutgoingHttpHeaders, body?: Readable) => {
    const found = await host.relayHead(call, { path, headers, ...(body ? { body } : {}) })
    if (found) await pipeline(found, call.response)
  }
  const serve = async (call: Call, asked: string) => {
    const { request } = call
    const accept = { accept: '*/*' }
    switch (asked) {
      case 'GET /info/refs?service=git-upload-pack':
        return relay(call, '/info/refs?service=git-upload-pack', { ...accept, ...pickHeaders(request, ['git-protocol']) })
      case 'GET /info/refs?service=git-receive-pack':
        return relay(call, '/info/refs?service=git-receive-pack', accept)
      case 'POST /git-upload-pack': {
        const given = pickHeaders(request, ['content-length', 'content-encoding', 'git-protocol'])
        return relay(call, '/git-upload-pack', { ...typesOf('git-upload-pack'), ...given }, request)
      }
      case 'POST /git-receive-pack':
        return push(pushing, call, { ...typesOf('git-receive-pack'), ...pickHeaders(request, ['content-length']) })
      default:
        return answer(call.response, 403, "Only git's smart HTTP is served here: fetch and push.")
    }
  }

  return async (call) => {
    if (!call.path.startsWith(`${DOOR_PATHS.git}/`))
      return answer(call.response, 403, 'Only the repository of this task is served here.')
    try {
      await serve(call, `${call.request.method} ${call.path.replace(DOOR_PATHS.git, '')}${call.query && `?${call.query}`}`)
    } catch (error) {
      if (call.gone.aborted || call.response.headersSent) return void call.response.destroy()
      if (error instanceof TooManyBytes) return answer(call.response, 413, `A push may have at most ${maxPushBytes} bytes.`)
      options.log.warn({ event: 'git.unreachable', reason: failureText(error) })
      answer(call.response, 502, `The git host cannot be reached (${failureText(error)}).`)
    }
  }
}

function typesOf(service: string): OutgoingHttpHeaders {
  return { 'content-type': `application/x-${service}-request`, accept: `application/x-${service}-result` }
}
