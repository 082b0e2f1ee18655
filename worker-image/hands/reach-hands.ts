import { chmod, rm } from 'node:fs/promises'
import { createServer, type Server, type Socket } from 'node:net'
import * as z from 'zod'
import { cutText } from '../../contract/shared/characters.ts'
import type { End } from '../../contract/wire/end.ts'
import { type AgentSays, type CallOptions, type Hands, HandsGone } from './hands.ts'
import { readJsonLines, writeJsonLine } from './json-lines.ts'
import { OPERATIONS, type OperationName } from './protocol.ts'

export type ReachOptions = {
  socketPath: string
  /** Has the runner start new hands. @throws Error when it cannot */
  startAgain: () => Promise<void>
  /** How long hands that are starting may take to come. */
  patienceMs?: number
}

/** The runner starts them with the sandbox; on a busy host that takes a while. */
const PATIENCE_MS = 5_000
/** How often new hands are asked for before a call fails. */
const TRIES = 6

/**
 * Waits for the hands at a socket of the agent's, and calls them. One connection counts at a time: while it lasts, nobody else is heard.
 * @throws Error when the socket cannot be made
 */
export async function reachHands(options: ReachOptions): Promise<Hands & { close: () => Promise<void> }> {
  const line = createLine(options)
  const server = await listenAt(options.socketPath, line.accept)
  let count = 0
  return {
    call: async (name, input, callOptions = {}) => {
      const { send } = await line.reach()
      count += 1
      return (await send(count, name, input, callOptions)) as never
    },
    close: () => {
      line.cut()
      return new Promise((done) => server.close(() => done()))
    },
  }
}

type Connection = {
  send: (id: number, name: OperationName, input: unknown, options: CallOptions) => Promise<unknown>
  cut: () => void
}

/** The connection to the hands, and the wait for one. */
function createLine({ startAgain, patienceMs = PATIENCE_MS }: ReachOptions) {
  let connection: Connection | null = null
  let waiting: Array<() => void> = []
  const accept = (socket: Socket) => {
    if (connection) return void socket.destroy()
    connection = createConnection(socket)
    socket.once('close', () => {
      connection = null
    })
    for (const wake of waiting) wake()
    waiting = []
  }
  const come = () =>
    new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, patienceMs)
      waiting.push(() => {
        clearTimeout(timer)
        resolve()
      })
    })
  let hadOne = false
  const reach = async (): Promise<Connection> => {
    for (let tried = 0; tried < TRIES; tried++) {
      if (!connection && (hadOne || tried > 0)) await startAgain()
      if (!connection) await come()
      if (!connection) continue
      hadOne = true
      return connection
    }
    throw new Error('The part of the sandbox that runs commands did not start.')
  }
  return { accept, reach, cut: () => connection?.cut() }
}

const Said = z.union([
  z.object({ of: z.number(), output: z.string().max(16_384) }),
  z.object({ of: z.number(), result: z.unknown() }),
  z.object({ of: z.number(), error: z.string() }),
])

type Call = {
  name: OperationName
  onOutput: CallOptions['onOutput']
  resolve: (result: unknown) => void
  reject: (error: Error) => void
}

function createConnection(socket: Socket): Connection {
  const calls = new Map<number, Call>()
  socket.on('error', () => socket.destroy())
  socket.once('close', () => {
    for (const { reject } of calls.values()) reject(new HandsGone())
    calls.clear()
  })
  readJsonLines(socket, (value) => {
    const said = Said.safeParse(value).data
    const call = said && calls.get(said.of)
    if (!call) return
    if ('output' in said) return call.onOutput?.(said.output)
    calls.delete(said.of)
    if ('error' in said) return call.reject(new Error(cutText(said.error, 10_000)))
    const result = OPERATIONS[call.name].output.safeParse(said.result)
    if (result.success) call.resolve(result.data)
    else
      call.reject(
        new Error(`The sandbox answered "${call.name}" with something else: ${cutText(z.prettifyError(result.error), 500)}`),
      )
  })
  const say = (what: AgentSays) => writeJsonLine(socket, what)
  return {
    cut: () => socket.destroy(),
    send: async (id, name, input, { signal, onOutput }) => {
      const cancel = () => say({ cancel: id, why: (signal?.reason as End | undefined) ?? null })
      try {
        return await new Promise((resolve, reject) => {
          if (socket.destroyed) return reject(new HandsGone())
          calls.set(id, { name, onOutput, resolve, reject })
          say({ call: id, name, input })
          signal?.addEventListener('abort', cancel, { once: true })
          if (signal?.aborted) cancel()
        })
      } finally {
        signal?.removeEventListener('abort', cancel)
      }
    },
  }
}

async function listenAt(path: string, accept: (socket: Socket) => void): Promise<Server> {
  await rm(path, { force: true })
  const server = createServer(accept)
  await new Promise<void>((done, failed) => {
    server.once('error', failed)
    server.listen(path, () => done())
  })
  // The hands are another user.
  await chmod(path, 0o666)
  return server
}
