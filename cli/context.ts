import type { Readable, Writable } from 'node:stream'
import type { Api } from './server/api.ts'
import type { Server } from './server/find-server.ts'

type Terminal = { isTTY?: boolean; columns?: number; rows?: number }

/** Everything that the tool has from the process that runs it; tests hand in their own. */
export type Surroundings = {
  stdin: Readable & Terminal
  stdout: Writable & Terminal
  stderr: Writable & Terminal
  environment: Record<string, string | undefined>
  /** Errand's own folder. */
  home: string
  /** The folder that the person stands in. */
  cwd: string
  /** Aborted by Ctrl-C. */
  interrupted: AbortSignal
}

/** What a command works with. */
export type Context = Surroundings & {
  server: () => Server
  api: () => Api
  print: (text: string) => void
}
