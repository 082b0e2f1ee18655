import type { ServerResponse } from 'node:http'
import { FENCE } from '../../contract/wire/deadlines.ts'
import { UNCONFIRMED } from '../../contract/wire/names.ts'
import { answer, type Endpoint } from './endpoint.ts'

/** Waits for the coordinator's answer; throws when `gone` aborts first. */
export type ConfirmLease = (gone: AbortSignal) => Promise<boolean>

/** Whether the attempt is the current one; `unconfirmed`: the coordinator does not answer. */
export type Standing = 'current' | 'over' | 'unconfirmed'

/** The last check before an effect: while this runner was paused, another runner may have got the turn. */
export async function standingOf(
  confirmLease: ConfirmLease,
  gone: AbortSignal,
  waitMs: number = FENCE.effectMs,
): Promise<Standing> {
  const late = new AbortController()
  const abort = () => late.abort()
  const timer = setTimeout(abort, waitMs)
  gone.addEventListener('abort', abort)
  if (gone.aborted) abort()
  try {
    return (await confirmLease(late.signal)) ? 'current' : 'over'
  } catch {
    return 'unconfirmed'
  } finally {
    clearTimeout(timer)
    gone.removeEventListener('abort', abort)
  }
}

/** Refuses an effect if the attempt may not be the current one. */
export function refuseEffect(response: ServerResponse, standing: Exclude<Standing, 'current'>): void {
  standing === 'over'
    ? answer(response, 403, 'This attempt is no longer the current one.')
    : answer(
        response,
        UNCONFIRMED,
        'The coordinator has not confirmed that this attempt is the current one. Wait, then try again.',
      )
}

/** `GET /lease`: lets a caller that has an effect to make wait for the coordinator. */
export function serveFence(confirmLease: ConfirmLease, waitMs: number = FENCE.askerMs): Endpoint {
  return async ({ request, response, gone }) => {
    if (request.method !== 'GET') return answer(response, 405, 'Use GET here.')
    const standing = await standingOf(confirmLease, gone, waitMs)
    if (standing !== 'current') return refuseEffect(response, standing)
    response.writeHead(204).end()
  }
}
