import type { IncomingMessage, OutgoingHttpHeaders } from 'node:http'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { Logger } from 'pino'
import type { NewEvent } from '../../../contract/api/event.ts'
import { branchPrefix, DOOR_PATHS, UNCONFIRMED } from '../../../contract/wire/names.ts'
import { answer, type Call, pickHeaders, type Room } from '../endpoint.ts'
import { type ConfirmLease, refuseEffect, standingOf } from '../fence.ts'
import { limitBytes, TooManyBytes } from '../limit-bytes.ts'
import { type Redirect, readRedirect } from '../redirect.ts'
import { failureText, type Upstream } from '../upstream.ts'
import { openPushReport } from './push-report.ts'
import { type Commands, readCommands } from './receive-pack.ts'

export type GitOptions = {
  repository: { upstream: string; username: string | null; token: string | null }
  taskId: string
  confirmLease: ConfirmLease
  upstream: Upstream
  say: (event: NewEvent) => void
  log: Logger
  maxPushBytes?: number
}

/** One push, bytes: more than any change by an agent, and less than what hosts refuse. */
const PUSH_BYTES = 1024 * 1024 * 1024

/** What GitHub, GitLab and Gitea take with a token as the password. */
const TOKEN_USERNAME = 'x-access-token'

const ANSWER_HEADERS = ['content-type', 'content-encoding', 'cache-control'] as const

/**
 * git's smart HTTP (git, `gitprotocol-http`) to one repository, its credentials added here: fetch everything, push only below the task's
 * own prefix and only while the lease is ours. Paths are compared as they came, so nothing encoded, doubled or climbing matches.
 */
export function serveGit(options: GitOptions): Room {
  const { repository, confirmLease, say, log, maxPushBytes = PUSH_BYTES } = options
  const refPrefix = `refs/heads/${branchPrefix(options.taskId)}`
  const credentials = repository.token
    ? { authorization: `Basic ${Buffer.from(`${repository.username ?? TOKEN_USERNAME}:${repository.token}`).toString('base64')}` }
    : {}

  // GitLab serves a repository at `….git` alone, and redirects there when git first asks.
  let address = repository.upstream

  const ask = (call: Call, path: string, headers: OutgoingHttpHeaders, body?: Readable) =>
    options.upstream.call({
      url: `${address}${path}`,
      method: call.request.method ?? 'GET',
      headers: { ...headers, ...credentials },
      signal: call.gone,
      ...(body ? { body } : {}),
    })

  const fetch = async (call: Call) => {
    const headers = {
      ...typesOf('git-upload-pack'),
      ...pickHeaders(call.request, ['content-length', 'content-encoding', 'git-protocol']),
    }
    const found = await ask(call, '/git-upload-pack', headers, call.request)
    if (relayHead(call, found, readRedirect(found, address, '/git-upload-pack'))) await pipeline(found, call.response)
  }

  const push = async (call: Call) => {
    if (call.request.headers['content-encoding']) return answer(call.response, 403, 'A compressed push is refused.')
    const chunks: AsyncIterator<Buffer> = call.request.iterator({ destroyOnReturn: false })
    const { head, commands } = await readHead(chunks, refPrefix)
    if (commands.state !== 'whole') {
      log.warn({ event: 'push.refused', why: commands.state === 'refused' ? commands.why : 'cut off' })
      return answer(call.response, 403, commands.state === 'refused' ? commands.why : 'The push ended within its first lines.')
    }
    const standing = await standingOf(confirmLease, call.gone)
    if (standing !== 'current') {
      log.warn({ event: 'push.held_back', standing })
      return refuseEffect(call.response, standing)
    }

    const body = Readable.from(limitBytes(maxPushBytes)(continueWith(head, chunks)), { objectMode: false })
    const headers = { ...typesOf('git-receive-pack'), ...pickHeaders(call.request, ['content-length']) }
    const found = await ask(call, '/git-receive-pack', headers, body)
    // A host's word must not be taken for ours.
    if (found.statusCode === UNCONFIRMED) found.statusCode = 502
    if (!relayHead(call, found, readRedirect(found, address, '/git-receive-pack'))) return
    const report = openPushReport(commands.capabilities.includes('side-band-64k'))
    try {
      await pipeline(found, watch(report.take), call.response)
    } finally {
      const accepted = new Set(report.accepted())
      for (const { ref, newId } of commands.updates)
        if (accepted.has(ref)) say({ type: 'branch.pushed', data: { branch: ref.slice('refs/heads/'.length), commit: newId } })
    }
  }

  const discover = async (call: Call, service: 'git-upload-pack' | 'git-receive-pack') => {
    const headers = service === 'git-upload-pack' ? pickHeaders(call.request, ['git-protocol']) : {}
    const path = `/info/refs?service=${service}`
    let found = await ask(call, path, { accept: '*/*', ...headers })
    if (readRedirect(found, address, path)?.dotGit) {
      found.destroy()
      address = `${address}.git`
      found = await ask(call, path, { accept: '*/*', ...headers })
    }
    if (relayHead(call, found, readRedirect(found, address, path))) await pipeline(found, call.response)
  }

  return async (call) => {
    const asked = `${call.request.method} ${call.path.replace(DOOR_PATHS.git, '')}${call.query && `?${call.query}`}`
    if (!call.path.startsWith(`${DOOR_PATHS.git}/`))
      return answer(call.response, 403, 'Only the repository of this task is served here.')
    try {
      if (asked === 'GET /info/refs?service=git-upload-pack') await discover(call, 'git-upload-pack')
      else if (asked === 'GET /info/refs?service=git-receive-pack') await discover(call, 'git-receive-pack')
      else if (asked === 'POST /git-upload-pack') await fetch(call)
      else if (asked === 'POST /git-receive-pack') await push(call)
      else answer(call.response, 403, "Only git's smart HTTP is served here: fetch and push.")
    } catch (error) {
      if (call.gone.aborted || call.response.headersSent) return void call.response.destroy()
      if (error instanceof TooManyBytes) return answer(call.response, 413, `A push may have ${maxPushBytes} bytes at most.`)
      log.warn({ event: 'git.unreachable', reason: failureText(error) })
      answer(call.response, 502, `The git host cannot be reached (${failureText(error)}).`)
    }
  }
}

/**
 * Passes status and headers of the git host's answer on. Another redirect than to `….git` is never followed, so that the token goes to
 * no second host or repository; 404 has git give up at once, and show the sentence.
 * @returns false when the call has been answered already
 */
function relayHead({ response }: Call, found: IncomingMessage, redirect: Redirect | null): boolean {
  if (redirect) {
    found.destroy()
    answer(response, 404, redirect.sentence)
    return false
  }
  response.writeHead(found.statusCode ?? 502, pickHeaders(found, ANSWER_HEADERS))
  return true
}

function typesOf(service: string) {
  return {
    'content-type': `application/x-${service}-request`,
    accept: `application/x-${service}-result`,
  }
}

/** Reads until the command list of a push is whole, or cannot become one. */
async function readHead(chunks: AsyncIterator<Buffer>, refPrefix: string): Promise<{ head: Buffer; commands: Commands }> {
  let head: Buffer = Buffer.alloc(0)
  for (;;) {
    const { value, done } = await chunks.next()
    if (done) return { head, commands: { state: 'more' } }
    head = Buffer.concat([head, value])
    const commands = readCommands(head, refPrefix)
    if (commands.state !== 'more') return { head, commands }
  }
}

const continueWith = async function* (head: Buffer, chunks: AsyncIterator<Buffer>): AsyncGenerator<Buffer> {
  yield head
  for (let next = await chunks.next(); !next.done; next = await chunks.next()) yield next.value
}

function watch(take: (bytes: Buffer) => void) {
  return async function* (chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    for await (const chunk of chunks) {
      take(chunk)
      yield chunk
    }
  }
}
