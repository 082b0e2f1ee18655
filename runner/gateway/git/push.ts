import type { OutgoingHttpHeaders } from 'node:http'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { Logger } from 'pino'
import type { NewEvent } from '../../../contract/api/event.ts'
import { branchPrefix } from '../../../contract/wire/names.ts'
import { answer, type Call, chunksOf, limitBytes } from '../endpoint.ts'
import { type ConfirmLease, refuseEffect, standingOf } from '../fence.ts'
import type { GitHost } from './git-host.ts'
import { type Commands, createReportReader, readCommands } from './receive-pack.ts'

export type PushOptions = {
  host: GitHost
  taskId: string
  confirmLease: ConfirmLease
  emit: (event: NewEvent) => void
  log: Logger
  maxPushBytes: number
}

/**
 * `POST /git-receive-pack`: reads what the push wants, asks whether the attempt is the current one, and only then lets the push through.
 */
export async function push(options: PushOptions, call: Call, headers: OutgoingHttpHeaders): Promise<void> {
  const { host, taskId, confirmLease, log, maxPushBytes } = options
  if (call.request.headers['content-encoding']) return answer(call.response, 403, 'A compressed push is refused.')
  const chunks = chunksOf(call.request)
  const { head, commands } = await readHead(chunks, `refs/heads/${branchPrefix(taskId)}`)
  if (commands.state !== 'whole') {
    log.warn({ event: 'push.refused', why: commands.state === 'refused' ? commands.why : 'cut off' })
    return answer(call.response, 403, commands.state === 'refused' ? commands.why : 'The push ended within its first lines.')
  }
  const standing = await standingOf(confirmLease, call.gone)
  if (standing !== 'current') {
    log.warn({ event: 'push.not_confirmed', standing })
    return refuseEffect(call.response, standing)
  }
  const body = Readable.from(limitBytes(maxPushBytes)(continueWith(head, chunks)), { objectMode: false })
  const found = await host.relayHead(call, { path: '/git-receive-pack', headers, body })
  if (found) await relayReport(options, call, found, commands)
}

/** Passes the host's report on, and tells the user of each branch that the host says it has updated. */
async function relayReport(
  { emit }: PushOptions,
  call: Call,
  found: Readable,
  { capabilities, updates }: Commands & { state: 'whole' },
): Promise<void> {
  const report = createReportReader(capabilities.includes('side-band-64k'))
  try {
    await pipeline(found, tap(report.take), call.response)
  } finally {
    const accepted = new Set(report.accepted())
    for (const { ref, oldId, newId } of updates) {
      const before = /^0+$/.test(oldId) ? null : oldId
      if (accepted.has(ref))
        emit({ type: 'branch.pushed', data: { branch: ref.slice('refs/heads/'.length), commit: newId, before } })
    }
  }
}

/** Reads until the command list of a push is complete or invalid. */
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

async function* continueWith(head: Buffer, chunks: AsyncIterator<Buffer>): AsyncGenerator<Buffer> {
  yield head
  for (let next = await chunks.next(); !next.done; next = await chunks.next()) yield next.value
}

function tap(take: (bytes: Buffer) => void) {
  return async function* (chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    for await (const chunk of chunks) {
      take(chunk)
      yield chunk
    }
  }
}
