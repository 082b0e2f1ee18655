import type { ServerResponse } from 'node:http'
import { FENCE } from '../../contract/wire/deadlines.ts'
import { UNCONFIRMED } from '../../contract/wire/names.ts'
import { answer, type Room } from './endpoint.ts'

/** Waits for the coordinator's answer; throws when `gone` aborts first. */
export type ConfirmLease = (gone: AbortSignal) => Promise<boolean>

/** Whether the attempt is the current one; `unconfirmed`: the coordinator does not answer. */
export type Standing = 'current' | 'over' | 'unconfirmed'

/** The last look before an effect: a runner that was paused may have lost its attempt to another in the meantime. */
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

/** Refuses the effect of an attempt that is not known to be the current one. */
export function refuseEffect(response: ServerResponse, standing: Exclude<Standing, 'current'>): void {
  standing === 'over'
    ? answer(response, 403, 'This attempt is no longer the current one.')
    : answer(response, UNCONFIRMED, 'The coordinator does not answer whether this attempt is the current one. Wait for it.')
}

/** `GET /lease`: waits for the coordinator with whoever has an effect to make. */
export function serveFence(confirmLease: ConfirmLease, waitMs: number = FENCE.askerMs): Room {
  return async ({ request, response, gone }) => {
    if (request.method !== 'GET') return answer(response, 405, 'Only GET is served here.')
    const standing = await standingOf(confirmLease, gone, waitMs)
    if (standing !== 'current') return refuseEffect(response, standing)
    response.writeHead(204).end()
  }
}
