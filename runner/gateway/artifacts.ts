import type { Readable } from 'node:stream'
import { PassThrough } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { Logger } from 'pino'
import { LIMITS } from '../../contract/api/limits.ts'
import { DOOR_PATHS } from '../../contract/wire/names.ts'
import { ArtifactKind, maxBytesOf } from '../../contract/wire/sandbox.ts'
import { isAway } from '../lease/coordinator-client.ts'
import { answer, type Call, type Room } from './endpoint.ts'
import { type ConfirmLease, refuseEffect, standingOf } from './fence.ts'
import { limitBytes, TooManyBytes } from './limit-bytes.ts'

export type ArtifactsOptions = {
  confirmLease: ConfirmLease
  saveArtifact: (kind: ArtifactKind, body: Readable) => Promise<void>
  /** Takes the last copy of the work for later, while the sandbox is being stopped and the coordinator is away; null while it may wait. */
  keepWork: () => ((bundle: Readable) => Promise<void>) | null
  log: Logger
  maxBytes?: number
}

/**
 * `PUT /artifacts/<kind>`: streams the body on, out of the sandbox. 204 means that it is kept. They go one after the other: each lies on
 * the coordinator's disk while it comes, and a sandbox that sends hundreds at once would fill it.
 */
export function serveArtifacts({
  confirmLease,
  saveArtifact,
  keepWork,
  log,
  maxBytes: most = LIMITS.artifactBytes,
}: ArtifactsOptions): Room {
  const outputs = new Set<ArtifactKind>()
  let last: Promise<void> = Promise.resolve()

  const save = async ({ request, response, gone }: Call, kind: ArtifactKind) => {
    const maxBytes = Math.min(most, maxBytesOf(kind))
    const body = new PassThrough()
    try {
      // A body can be sent once only: not before somebody is there.
      const standing = await standingOf(confirmLease, gone)
      const keepHere = kind === 'bundle' && standing === 'unconfirmed' ? keepWork() : null
      if (standing !== 'current' && !keepHere) return refuseEffect(response, standing)
      await Promise.all([
        pipeline(request.iterator({ destroyOnReturn: false }), limitBytes(maxBytes), body),
        keepHere ? keepHere(body) : saveArtifact(kind, body),
      ])
    } catch (error) {
      body.destroy()
      log.warn({ event: 'artifact.refused', kind, err: error })
      if (error instanceof TooManyBytes) return answer(response, 413, `An artifact may have ${maxBytes} bytes at most.`)
      // It went away in the middle.
      if (isAway(error)) return refuseEffect(response, 'unconfirmed')
      return answer(response, 502, 'The artifact could not be kept; try again.')
    }
    response.writeHead(204).end()
  }

  return async (call) => {
    const { request, response, path } = call
    const kind = ArtifactKind.safeParse(path.slice(DOOR_PATHS.artifacts.length))
    if (!kind.success) return answer(response, 404, 'There is no artifact of this name.')
    if (request.method !== 'PUT') return answer(response, 405, 'Only PUT is served here.')
    if (kind.data.startsWith('output.')) outputs.add(kind.data)
    if (outputs.size > LIMITS.outputsPerAttempt && outputs.has(kind.data))
      return answer(response, 413, `At most ${LIMITS.outputsPerAttempt} outputs of an attempt are kept.`)
    const mine = last.then(() => save(call, kind.data))
    last = mine.catch(() => undefined)
    await mine
  }
}
