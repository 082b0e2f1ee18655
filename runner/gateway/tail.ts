import { PassThrough, type Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { Logger } from 'pino'
import { tailMs } from '../../contract/wire/deadlines.ts'
import { DOOR_PATHS } from '../../contract/wire/names.ts'
import { type ArtifactKind, Behind, maxBytesOf, TAIL_KINDS } from '../../contract/wire/sandbox.ts'
import { CoordinatorFault, isAway } from '../lease/coordinator-client.ts'
import { answer, type Call, chunksOf, type Endpoint, limitBytes, TooManyBytes } from './endpoint.ts'
import { refuseEffect } from './fence.ts'

export type TailOptions = {
  saveArtifact: (kind: ArtifactKind, body: Readable, more: { behind?: Behind | undefined; atMostMs: number }) => Promise<void>
  /** @returns null when no earlier attempt at this turn left one */
  openCheckpoint: () => Promise<Readable | null>
  log: Logger
}

/**
 * `PUT /tail/<kind>`: what another host continues from if this one is lost; 204 means that it is stored. There is no fence: the coordinator
 * itself takes it from the current attempt alone, and it has no other effect. Nothing waits here, so that the newest state is never behind
 * an old one: a sandbox that is told to come later comes with what it has then.
 */
export function serveTail({ saveArtifact, openCheckpoint, log }: TailOptions): Endpoint {
  const busy = new Set<ArtifactKind>()
  return async ({ request, response, path, query }) => {
    const kind = TAIL_KINDS.find((one) => DOOR_PATHS.tail + one === path)
    if (kind === undefined) return answer(response, 404, 'Nothing of this name leaves the host while the turn runs.')
    if (request.method === 'GET' && kind === 'checkpoint') return giveCheckpoint({ openCheckpoint, log }, response)
    if (request.method !== 'PUT') return answer(response, 405, 'Use PUT here.')
    const behind = query === '' ? undefined : Behind.safeParse(Object.fromEntries(new URLSearchParams(query)))
    if (behind && !behind.success) return answer(response, 400, 'The query says where the bytes go: from=<number>&hash=<sha256>.')
    if (busy.has(kind)) return answer(response, 429, 'One of these is on its way already.')
    busy.add(kind)
    try {
      await save({ saveArtifact, log }, { request, response }, kind, behind?.data)
    } finally {
      busy.delete(kind)
    }
  }
}

async function save(
  { saveArtifact, log }: Pick<TailOptions, 'saveArtifact' | 'log'>,
  { request, response }: Pick<Call, 'request' | 'response'>,
  kind: ArtifactKind,
  behind: Behind | undefined,
): Promise<void> {
  const maxBytes = maxBytesOf(kind)
  // An upload that hangs would keep away everything that comes after it.
  const atMostMs = tailMs(Math.min(maxBytes, Number(request.headers['content-length'] ?? maxBytes))).runnerMs
  const body = new PassThrough()
  try {
    await Promise.all([pipeline(chunksOf(request), limitBytes(maxBytes), body), saveArtifact(kind, body, { behind, atMostMs })])
  } catch (error) {
    body.destroy()
    log.info({ event: 'tail.not_stored', kind, err: error })
    if (error instanceof CoordinatorFault && error.kind === 'unreachable') return refuseEffect(response, 'unconfirmed')
    if (error instanceof TooManyBytes) return answer(response, 413, `This may have at most ${maxBytes} bytes.`)
    return answer(response, 409, 'The coordinator did not take it. Send the whole.')
  }
  response.writeHead(204).end()
}

async function giveCheckpoint({ openCheckpoint, log }: Pick<TailOptions, 'openCheckpoint' | 'log'>, response: Call['response']) {
  let checkpoint: Readable | null
  try {
    checkpoint = await openCheckpoint()
  } catch (error) {
    log.warn({ event: 'checkpoint.unavailable', err: error })
    return isAway(error) ? refuseEffect(response, 'unconfirmed') : answer(response, 502, 'The checkpoint is not available.')
  }
  if (checkpoint === null) return answer(response, 404, 'No earlier attempt at this turn left a checkpoint.')
  response.writeHead(200, { 'content-type': 'application/octet-stream' })
  await pipeline(checkpoint, response)
}
