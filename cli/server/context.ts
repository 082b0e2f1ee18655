import type { Readable, Writable } from 'node:stream'
import type { Api } from './api.ts'
import type { Server } from './find-server.ts'

type Terminal = { isTTY?: boolean; columns?: number; rows?: number }

/** Everything the tool gets from its process. Tests pass in their own. */
export type Surroundings = {
  stdin: Readable & Terminal
  stdout: Writable & Terminal
  stderr: Writable & Terminal
  environment: Record<string, string | undefined>
  /** Errand's own folder. */
  home: string
  /** The current folder. */
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
