import type { Reason } from '../../contract/api/reason.ts'
import { cutText } from '../../contract/shared/characters.ts'

type Refused = { status: number | undefined; type: string | null; code: string | null; message: string }

/**
 * Pure. Recognises what only a person can mend at the model API: the key, the payment, the credit, the model's name. Nothing of it is about
 * the task's own budget. The gateway reports a refused key as an `authentication_error`. Types and statuses: docs.claude.com, "Errors".
 * @returns null for any other refusal
 */
export function accountReason({ status, type, code, message }: Refused): Reason | null {
  if (type === 'authentication_error' || status === 401) return 'model_key_refused'
  if (code?.endsWith('_spend_limit_reached')) return 'model_credit_empty'
  if (isRefusal(status, type) && /credit balance is too low|reached your .{0,40}\busage limits?\b/i.test(message))
    return 'model_credit_empty'
  if (status === 402 || (status === undefined && type === 'billing_error')) return 'model_payment_refused'
  if ((status === 404 || type === 'not_found_error') && /\bmodel\b/i.test(message)) return 'model_not_found'
  return null
}

function isRefusal(status: number | undefined, type: string | null): boolean {
  return (
    status === 400 ||
    status === 402 ||
    status === 403 ||
    status === 429 ||
    type === 'invalid_request_error' ||
    type === 'billing_error'
  )
}

const MOST_CHARS = 500

/** Pure. @returns the API's own words, on one line and bounded; a body that is not in the API's form is not shown to a person */
export function apiWords(message: string): string {
  const line = message.replace(/[\p{Cc}\p{Cf}\s]+/gu, ' ').trim()
  if (line === '' || /[<{]/.test(line.slice(0, 8))) return 'The model API gave no reason.'
  const cut = cutText(line, MOST_CHARS)
  return cut.startsWith('The model API') ? cut : `The model API says: ${cut}`
}
