import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import * as z from 'zod'
import { EXIT, Fault } from './faults.ts'

export type Server = {
  /** Without a slash at the end. */
  url: string
  token: string
  /** The server's data folder, if it was found on this machine. */
  dataDir: string | null
}

const ServerFile = z.object({ url: z.url(), token: z.string().min(1) })

/**
 * Finds the server: `ERRAND_URL` with `ERRAND_TOKEN` or with the owner's token from the data folder, otherwise the server whose `server.json`
 * is in the data folder. The data folder is found as `npm start` finds it, never below the current folder: a cloned repository could bring its
 * own `server.json`, and the server it names would get the user's secrets.
 * @param home Errand's own folder
 * @throws Fault that says how to start one
 */
export function findServer(environment: Record<string, string | undefined>, home: string): Server {
  const { ERRAND_URL: url, ERRAND_TOKEN: token, ERRAND_DATA_DIR } = environment
  const dataDir = resolve(home, ERRAND_DATA_DIR || '.errand')
  if (url) return named(url, token || (ERRAND_DATA_DIR ? ownerToken(dataDir) : undefined))
  if (existsSync(join(dataDir, 'server.json'))) return fromFile(dataDir)
  throw new Fault(
    EXIT.unreachable,
    [
      `Found no running Errand: ${dataDir} has no server.json.`,
      'Start one with: npm start',
      'Or name one: ERRAND_URL=https://errand.example.org ERRAND_TOKEN=… (from `errand token new NAME` on that server)',
    ].join('\n'),
  )
}

function named(url: string, token: string | undefined): Server {
  if (!z.url({ protocol: /^https?$/ }).safeParse(url).success)
    throw new Fault(EXIT.refused, `ERRAND_URL is not an address: ${url}. It looks like https://errand.example.org`)
  if (!token)
    throw new Fault(
      EXIT.unreachable,
      'ERRAND_URL also needs ERRAND_TOKEN. Create a token where you are signed in: errand token new NAME',
    )
  return { url: url.replace(/\/+$/, ''), token, dataDir: null }
}

function ownerToken(dataDir: string): string | undefined {
  const path = join(dataDir, 'owner-token')
  return existsSync(path) ? readFileSync(path, 'utf8').trim() : undefined
}

function fromFile(dataDir: string): Server {
  const path = join(dataDir, 'server.json')
  try {
    const { url, token } = ServerFile.parse(JSON.parse(readFileSync(path, 'utf8')))
    return { url: url.replace(/\/+$/, ''), token, dataDir }
  } catch (error) {
    throw new Fault(EXIT.unreachable, `${path} could not be read. Stop the server and start it again with: npm start`, {
      cause: error,
    })
  }
}
