import { existsSync, readFileSync } from 'node:fs'
import { isAbsolute, join, resolve } from 'node:path'
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
 * The server to talk to: `ERRAND_URL` with `ERRAND_TOKEN`, or with its owner's token in `ERRAND_DATA_DIR`; or else the one that keeps
 * its `server.json` in `ERRAND_DATA_DIR`, or in `.errand`, of one of the folders.
 * @throws Fault that says how to start one
 */
export const findServer = (environment: Record<string, string | undefined>, folders: readonly string[]): Server => {
  const { ERRAND_URL: url, ERRAND_TOKEN: token, ERRAND_DATA_DIR: dataDir } = environment
  if (url) return named(url, token || ownerToken(dataDir))
  const wanted = dataDir || '.errand'
  const places = isAbsolute(wanted) ? [wanted] : [...new Set(folders.map((folder) => resolve(folder, wanted)))]
  const found = places.find((place) => existsSync(join(place, 'server.json')))
  if (found) return fromFile(found)
  throw new Fault(
    EXIT.unreachable,
    [
      `No running Errand was found: there is no server.json in ${places.join(' or ')}.`,
      'Start one with: npm start',
      'Or name one: ERRAND_URL=https://errand.example.org ERRAND_TOKEN=… (there: errand token new NAME)',
    ].join('\n'),
  )
}

const named = (url: string, token: string | undefined): Server => {
  if (!z.url({ protocol: /^https?$/ }).safeParse(url).success)
    throw new Fault(EXIT.refused, `ERRAND_URL is not an address: ${url}. It looks like https://errand.example.org`)
  if (!token)
    throw new Fault(
      EXIT.unreachable,
      'ERRAND_URL needs ERRAND_TOKEN beside it. Make one where you are signed in: errand token new NAME',
    )
  return { url: url.replace(/\/+$/, ''), token, dataDir: null }
}

const ownerToken = (dataDir: string | undefined): string | undefined => {
  const path = dataDir && join(dataDir, 'owner-token')
  return path && existsSync(path) ? readFileSync(path, 'utf8').trim() : undefined
}

const fromFile = (dataDir: string): Server => {
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
