import { writeFile } from 'node:fs/promises'
import { connect, type Socket } from 'node:net'
import type { End } from '../../contract/wire/end.ts'
import { pause } from '../process/waiting.ts'
import type { HandsConfig } from './config.ts'
import { startForwarder } from './forwarder.ts'
import type { AgentSays, HandsSay } from './hands.ts'
import { readJsonLines, writeJsonLine } from './json-lines.ts'
import { createOperations, type Operations } from './operations.ts'

/** An agent that is just starting, or the rescue after it, is there within a moment. */
const ASK_AGAIN_MS = 20

/**
 * The hands' process: does what the agent asks, and shows their way through the door. It serves whoever waits at the agent's socket, an
 * agent and then perhaps its rescue, until the sandbox ends.
 * @param ended ends it earlier; for tests
 */
export async function runHands(config: HandsConfig, ended?: AbortSignal): Promise<void> {
  await preferOverTheAgent()
  const forwarder = await startForwarder(config.doorSocket, config.port)
  const operations = createOperations(config)
  while (!ended?.aborted) {
    await serveOnce(config.agentSocket, operations, ended)
    await pause(ASK_AGAIN_MS, ended)
  }
  await forwarder.stop()
}

/** @returns when the connection is over, or there was none */
function serveOnce(path: string, operations: Operations, ended?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect(path)
    const leave = () => socket.destroy()
    ended?.addEventListener('abort', leave)
    socket.on('error', leave)
    socket.once('close', () => {
      ended?.removeEventListener('abort', leave)
      resolve()
    })
    serveAgent(socket, operations)
  })
}

function serveAgent(socket: Socket, operations: Operations): void {
  const running = new Map<number, AbortController>()
  // An agent that died asks for nothing any more: its commands end, so that the rescue finds a still work tree.
  socket.once('close', () => {
    for (const controller of running.values()) controller.abort(null)
  })
  const say = (what: HandsSay) => writeJsonLine(socket, what)
  readJsonLines(socket, (value) => {
    const said = value as AgentSays
    if ('cancel' in said) return running.get(said.cancel)?.abort(said.why satisfies End | null)
    const { call: of, name, input } = said
    const controller = new AbortController()
    running.set(of, controller)
    const operation = operations[name as keyof Operations] as (input: unknown, context: unknown) => Promise<unknown>
    const onOutput = (output: string) => say({ of, output })
    Promise.resolve()
      .then(() => operation(input, { signal: controller.signal, onOutput }))
      .then(
        (result) => say({ of, result }),
        (error: unknown) => say({ of, error: error instanceof Error ? error.message : String(error) }),
      )
      .finally(() => running.delete(of))
  })
}

/** When memory runs out, the kernel kills commands first (see tools/bash.ts), then this process, and the agent after it. */
async function preferOverTheAgent(): Promise<void> {
  // Elsewhere than on Linux only the order of killing differs.
  await writeFile('/proc/self/oom_score_adj', '800').catch(() => undefined)
}
