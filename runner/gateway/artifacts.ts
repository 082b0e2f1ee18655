import type { Readable } from 'node:stream'
import { PassThrough } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { Logger } from 'pino'
import { LIMITS } from '../../contract/api/limits.ts'
import { DOOR_PATHS } from '../../contract/wire/names.ts'
import { ArtifactKind, MADE_OUTSIDE, maxBytesOf, OF_UNPUSHED_WORK, TAIL_KINDS } from '../../contract/wire/sandbox.ts'
import { CoordinatorFault, isAway } from '../lease/coordinator-client.ts'
import { answer, type Call, chunksOf, type Endpoint, limitBytes, TooManyBytes } from './endpoint.ts'
import { type ConfirmLease, refuseEffect, standingOf } from './fence.ts'

export type ArtifactsOptions = {
  confirmLease: ConfirmLease
  saveArtifact: (kind: ArtifactKind, body: Readable) => Promise<void>
  /**
   * Stores the last copy of the work on this host if the sandbox is being stopped while the coordinator is away; null if the work can wait.
   */
  keepWork: () => ((bundle: Readable) => Promise<void>) | null
  /** Whether this attempt pushed to the task's branch. */
  hasPushed: () => boolean
  log: Logger
  maxBytes?: number
}

/**
 * `PUT /artifacts/<kind>`: streams the body out of the sandbox; 204 means that it is stored. Artifacts pass one at a time: each takes space
 * on the coordinator's disk while it arrives, and a sandbox must not fill the disk by sending hundreds at once.
 */
export function serveArtifacts({ maxBytes = LIMITS.artifactBytes, ...options }: ArtifactsOptions): Endpoint {
  const outputs = new Set<ArtifactKind>()
  let last: Promise<void> = Promise.resolve()
  return async (call) => {
    const { request, response, path } = call
    const kind = ArtifactKind.safeParse(path.slice(DOOR_PATHS.artifacts.length))
    if (!kind.success || TAIL_KINDS.includes(kind.data)) return answer(response, 404, 'There is no artifact of this name.')
    if (request.method !== 'PUT') return answer(response, 405, 'Use PUT here.')
    if (MADE_OUTSIDE.includes(kind.data)) return answer(response, 403, 'Errand makes this itself, from what was pushed.')
    if (OF_UNPUSHED_WORK.includes(kind.data) && options.hasPushed())
      return answer(response, 403, 'This attempt has pushed, so Errand makes the patch itself.')
    if (kind.data.startsWith('output.')) outputs.add(kind.data)
    if (outputs.size > LIMITS.outputsPerAttempt && outputs.has(kind.data))
      return answer(response, 413, `An attempt may store at most ${LIMITS.outputsPerAttempt} outputs.`)
    const mine = last.then(() => save(options, call, kind.data, Math.min(maxBytes, maxBytesOf(kind.data))))
    last = mine.catch(() => undefined)
    await mine
  }
}

async function save(
  { confirmLease, saveArtifact, keepWork, log }: ArtifactsOptions,
  { request, response, gone }: Call,
  kind: ArtifactKind,
  maxBytes: number,
): Promise<void> {
  const body = new PassThrough()
  try {
    // The body can be read only once, so it is read only when the coordinator is there to take it.
    const standing = await standingOf(confirmLease, gone)
    const keepHere = kind === 'bundle' && standing === 'unconfirmed' ? keepWork() : null
    if (standing !== 'current' && !keepHere) return refuseEffect(response, standing)
    const read = pipeline(chunksOf(request), limitBytes(maxBytes), body)
    await Promise.all([read, keepHere ? keepHere(body) : saveArtifact(kind, body)])
  } catch (error) {
    body.destroy()
    log.warn({ event: 'artifact.refused', kind, err: error })
    if (error instanceof TooManyBytes) return answer(response, 413, `This artifact may have at most ${maxBytes} bytes.`)
    // The coordinator went away while the body was on its way.
    if (isAway(error)) return refuseEffect(response, 'unconfirmed')
    // A quota, or a full disk: the caller must not send it again.
    const refusal = error instanceof CoordinatorFault && error.sentence !== null ? error : null
    if (refusal?.status === 413 || refusal?.status === 503) return answer(response, refusal.status, refusal.sentence ?? '')
    return answer(response, 502, 'The artifact could not be stored. Try again.')
  }
  response.writeHead(204).end()
}
