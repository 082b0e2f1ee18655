import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { z } from 'zod'
import { EXIT, Fault } from './faults.ts'

export type Server = {
  /** Without a slash at the end. */
  url: string
  token: string
  /** The server's data folder, when it runs on this machine and was found by it. */
  dataDir: string | null
}

const ServerFile = z.object({ url: z.url(), token: z.string().min(1) })

/**
 * The server to talk to: `ERRAND_URL` with `ERRAND_TOKEN`, or with its owner's token in the data folder; or else the one that keeps its
 * `server.json` there. That folder is found as `npm start` finds it, and never below the folder that one stands in: a cloned repository
 * may bring a `server.json` of its own, and what it names would be given the user's secrets.
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
      `No running Errand was found: there is no server.json in ${dataDir}.`,
      'Start one with: npm start',
      'Or name one: ERRAND_URL=https://errand.example.org ERRAND_TOKEN=… (there: errand token new NAME)',
    ].join('\n'),
  )
}

function named(url: string, token: string | undefined): Server {
  if (!z.url({ protocol: /^https?$/ }).safeParse(url).success)
    throw new Fault(EXIT.refused, `ERRAND_URL is not an address: ${url}. It looks like https://errand.example.org`)
  if (!token)
    throw new Fault(
      EXIT.unreachable,
      'ERRAND_URL needs ERRAND_TOKEN beside it. Make one where you are signed in: errand token new NAME',
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
    throw new Fault(EXIT.unreachable, `${path} could not be read. Stop the server and start it again: npm start`, {
      cause: error,
    })
  }
}
