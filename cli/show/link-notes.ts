import { stripVTControlCharacters } from 'node:util'
import type { SignInLink } from '../../contract/api/api.ts'
import { onlyHereTexts } from '../../contract/api/phone-access.ts'
import { qrCode } from './qr-code.ts'

export type Terminal = Readonly<{ isTTY?: boolean; columns?: number }>

/**
 * What `npm start` and `errand link` say beside a sign-in link: its QR code when a phone can open it, else why not, and what to set.
 * A terminal that is too narrow for the code gets none: broken lines cannot be read.
 */
export function linkNotes(
  { url, onlyHere }: SignInLink,
  { isTTY = false, columns = Number.POSITIVE_INFINITY }: Terminal,
  { TERM, NO_COLOR }: Readonly<Record<string, string | undefined>>,
): string[] {
  if (onlyHere) {
    const { why, what, after } = onlyHereTexts(onlyHere)
    return [why, what, ...onlyHere.settings.map((setting) => `  ${setting}`), after]
  }
  // A server that does not say where its links open may be one for this machine alone.
  if (onlyHere === undefined) return []
  const code = qrCode(url, isTTY && TERM !== 'dumb' && !NO_COLOR)
  return isTTY && stripVTControlCharacters(code[0] ?? '').length > columns ? [] : code
}
