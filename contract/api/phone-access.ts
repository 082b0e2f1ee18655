/** Why a sign-in link does not open on a phone, and how to change that, in plain words for every client. */
export type OnlyHere = Readonly<{
  /**
   * Where a phone on the same network finds the server once `settings` are set; null if the server does not know the address of its
   * machine.
   */
  phoneUrl: string | null
  /** Whether other devices can reach the server, but not at its configured address. */
  reachable: boolean
  /** Variables to set, `NAME=value` each, ready for `.env`. */
  settings: readonly string[]
}>

/** The sentences before and after the settings. */
export function onlyHereTexts({ phoneUrl, reachable }: OnlyHere): { why: string; what: string; after: string } {
  return {
    why: `This link opens only on the machine that runs the server.${reachable ? ALTHOUGH_REACHABLE : ''}`,
    what: phoneUrl
      ? `To open it at ${phoneUrl} from a phone on the same network, set this in .env, and start the server again:`
      : 'To open it from a phone, set an address that the phone can reach (on the internet, one with https://) in .env, and start the server again:',
    after: 'The link then comes with a QR code. Installing the app and getting notifications needs an address with https://.',
  }
}

const ALTHOUGH_REACHABLE =
  ' Other devices can reach the server, but ERRAND_PUBLIC_URL names no address for them, so the app gets no live updates there.'
