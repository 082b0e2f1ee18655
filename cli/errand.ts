import { commandNamed } from './commands.ts'
import type { Context, Surroundings } from './context.ts'
import { createApi } from './server/api.ts'
import { EXIT, Fault } from './server/faults.ts'
import { findServer } from './server/find-server.ts'

/**
 * Runs one command of the tool. Never throws: what went wrong is on `stderr`. After Ctrl-C nothing did, whatever broke off by it.
 * @param argv without node and script
 * @returns the exit code
 */
export async function runErrand(argv: readonly string[], surroundings: Surroundings): Promise<number> {
  const server = () => findServer(surroundings.environment, surroundings.home)
  const context: Context = {
    ...surroundings,
    server,
    api: () => createApi(server(), surroundings.interrupted),
    print: (text) => void surroundings.stdout.write(`${text}\n`),
  }
  try {
    const [name = 'help', ...rest] = argv
    return await commandNamed(name)(rest, context)
  } catch (error) {
    const left = surroundings.interrupted.aborted && new Fault(EXIT.left, 'Interrupted.')
    const fault = left || (error instanceof Fault ? error : unexpected(error))
    surroundings.stderr.write(`errand: ${fault.message}\n`)
    return fault.exit
  }
}

function unexpected(error: unknown): Fault {
  return new Fault(EXIT.unreachable, error instanceof Error ? (error.stack ?? error.message) : String(error))
}
