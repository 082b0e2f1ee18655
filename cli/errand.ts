import { link, token } from './commands/access.ts'
import { budget, cancel, retry } from './commands/cancel-retry.ts'
import { credentials } from './commands/credentials.ts'
import { bundle, diff } from './commands/diff.ts'
import { help, version } from './commands/help.ts'
import { list } from './commands/list.ts'
import { message, messages, withdraw } from './commands/messages.ts'
import { demo, run } from './commands/run.ts'
import { runner } from './commands/runner.ts'
import { show } from './commands/show.ts'
import { remove, storage } from './commands/storage.ts'
import { createApi } from './server/api.ts'
import type { Context, Surroundings } from './server/context.ts'
import { EXIT, Fault } from './server/faults.ts'
import { findServer } from './server/find-server.ts'

/**
 * Runs one command of the tool. Never throws: faults go to `stderr`. After Ctrl-C, the exit code is 130, whatever error the interrupt caused.
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

/** @returns the exit code */
type Command = (args: readonly string[], context: Context) => Promise<number>

const COMMANDS: ReadonlyMap<string, Command> = new Map(
  Object.entries<Command>({
    run,
    list,
    show,
    message,
    messages,
    withdraw,
    retry,
    budget,
    cancel,
    delete: remove,
    storage,
    diff,
    bundle,
    token,
    credentials,
    link,
    runner,
    demo,
    backup: async (args, context) => (await onHost()).backup(args, context),
    restore: async (args, context) => (await onHost()).restore(args, context),
    doctor: async (args, context) => (await import('./doctor/doctor.ts')).doctor(args, context),
    help,
    '--help': help,
    '-h': help,
    version,
    '--version': version,
    '-v': version,
  }),
)

/** Loaded late: it brings the database's driver, and the other commands need only the network. */
function onHost() {
  return import('./host/backup.ts')
}

/** @throws Fault when there is no such command */
function commandNamed(name: string): Command {
  const command = COMMANDS.get(name)
  if (!command) throw new Fault(EXIT.refused, `Unknown command “${name}”. See: errand help`)
  return command
}
