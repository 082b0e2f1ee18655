import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { SignInLink } from '../../contract/api/api.ts'

/** The set-up's requests to a running coordinator. */

const ASK_MS = 5_000

/** @returns null if the coordinator is ready, otherwise its answer or why there is none */
export async function serverFault(url: string): Promise<string | null> {
  try {
    const answer = await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(ASK_MS) })
    return answer.ok ? null : `${answer.status} ${(await answer.text()).slice(0, 300)}`
  } catch (error) {
    return error instanceof Error ? String(error.cause ?? error.message) : String(error)
  }
}

/** The local owner's API token, which the coordinator creates at its first start. */
export async function readOwnerToken(dataDir: string): Promise<string> {
  return (await readFile(join(dataDir, 'owner-token'), 'utf8')).trim()
}

/** @returns a link that signs in once, and where it opens */
export async function makeSignInLink(url: string, token: string): Promise<SignInLink> {
  const answer = await fetch(`${url}/auth/links`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}` },
    signal: AbortSignal.timeout(ASK_MS),
  })
  if (!answer.ok) throw new Error(`The server gave no sign-in link: ${answer.status} ${(await answer.text()).slice(0, 300)}`)
  return SignInLink.parse(await answer.json())
}
