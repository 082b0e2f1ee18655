import type { Readable } from 'node:stream'
import { PassThrough } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { Logger } from 'pino'
import { LIMITS } from '../../contract/limits.ts'
import { DOOR_PATHS } from '../../contract/names.ts'
import { ArtifactKind } from '../../contract/sandbox.ts'
import { limitBytes, TooManyBytes } from './limit-bytes.ts'
import { answer, type Room } from './room.ts'

export type ArtifactsOptions = {
  saveArtifact: (kind: ArtifactKind, body: Readable) => Promise<void>
  log: Logger
  maxBytes?: number
}

/** `PUT /artifacts/<kind>`: streams the body on, out of the sandbox. 204 means that it is kept. */
export const serveArtifacts = ({ saveArtifact, log, maxBytes: most = LIMITS.artifactBytes }: ArtifactsOptions): Room => {
  const outputs = new Set<ArtifactKind>()
  return async ({ request, response, path }) => {
    const kind = ArtifactKind.safeParse(path.slice(DOOR_PATHS.artifacts.length))
    if (!kind.success) return answer(response, 404, 'There is no artifact of this name.')
    if (request.method !== 'PUT') return answer(response, 405, 'Only PUT is served here.')
    if (kind.data.startsWith('output.')) outputs.add(kind.data)
    if (outputs.size > LIMITS.outputsPerAttempt && outputs.has(kind.data))
      return answer(response, 413, `At most ${LIMITS.outputsPerAttempt} outputs of an attempt are kept.`)
    const maxBytes = Math.min(most, maxBytesOf(kind.data))
    const body = new PassThrough()
    try {
      await Promise.all([
        pipeline(request.iterator({ destroyOnReturn: false }), limitBytes(maxBytes), body),
        saveArtifact(kind.data, body),
      ])
    } catch (error) {
      body.destroy()
      log.warn({ event: 'artifact.refused', kind: kind.data, err: error }, 'artifact.refused')
      if (error instanceof TooManyBytes) return answer(response, 413, `An artifact may have ${maxBytes} bytes at most.`)
      return answer(response, 502, 'The artifact could not be kept; try again.')
    }
    response.writeHead(204).end()
  }
}

const maxBytesOf = (kind: ArtifactKind): number => {
  if (kind === 'transcript') return LIMITS.transcriptBytes
  return kind.startsWith('output.') ? LIMITS.outputBytes : LIMITS.artifactBytes
}
