import { type Api, createApi as createCalls, type Line, type Words } from '../../../client/api/api.ts'
import type { ApiError } from '../../../client/api/api-error.ts'
import { words } from '../text/words.ts'

export type { Api } from '../../../client/api/api.ts'

/** Longer than the server ever takes, so that a phone in a lift does not wait forever. */
const TIMEOUT_MS = 15_000

export const API_WORDS: Words = {
  noAnswer: () => words.common.noAnswer,
  lost: () => words.common.noAnswer,
  foreign: () => words.common.badAnswer,
  unreadable: words.common.unreadable,
}

/** The calls of the coordinator, with the browser's session. Each throws {@link ApiError}, and nothing else. */
export function createApi(onUnauthorized: () => void, endpoints: Line['endpoints']): Api {
  return createCalls({
    send: (address, request) => fetch(address, { ...request, signal: AbortSignal.timeout(TIMEOUT_MS) }),
    endpoints,
    words: API_WORDS,
    asThrown: (error) => {
      if (error.code === 'unauthorized') onUnauthorized()
      if (error.code === 'unreadable') console.error('The answer does not fit the contract of this app.', error.cause)
      return error
    },
  })
}
