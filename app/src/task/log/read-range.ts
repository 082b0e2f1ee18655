import { refusalOf } from '../../../../client/api/api.ts'
import { ApiError } from '../../../../client/api/api-error.ts'
import { API_WORDS } from '../../client/api.ts'
import { words } from '../../text/words.ts'

const TIMEOUT_MS = 30_000

/**
 * Reads a byte range of a URL.
 * @param length in bytes; null for everything that follows
 * @throws ApiError like the calls of the API
 */
export async function readRange(
  url: string,
  from: number,
  length: number | null,
): Promise<{ bytes: Uint8Array<ArrayBuffer>; totalBytes: number }> {
  const response = await fetch(url, {
    headers: { range: `bytes=${from}-${length === null ? '' : from + length - 1}` },
    signal: AbortSignal.timeout(TIMEOUT_MS),
  }).catch((error: unknown) => {
    throw new ApiError('unreachable', words.common.noAnswer, { cause: error })
  })
  const total = Number(/\/(\d+)$/.exec(response.headers.get('content-range') ?? '')?.[1])
  // The content is empty, so no range can begin.
  if (response.status === 416) return { bytes: new Uint8Array(), totalBytes: total || 0 }
  if (!response.ok) throw await refusalOf(response, API_WORDS)
  const bytes = new Uint8Array(await response.arrayBuffer())
  // A server or a proxy may answer with the whole content.
  if (response.status !== 206) return { bytes: bytes.subarray(from), totalBytes: bytes.length }
  return { bytes, totalBytes: Number.isFinite(total) ? total : from + bytes.length }
}
