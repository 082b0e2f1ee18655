import { bundle } from './commands/bundle.ts'
import { cancel } from './commands/cancel.ts'
import { credentials } from './commands/credentials.ts'
import { demo } from './commands/demo.ts'
import { diff } from './commands/diff.ts'
import { help } from './commands/help.ts'
import { link } from './commands/link.ts'
import { list } from './commands/list.ts'
import { message } from './commands/message.ts'
import { messages } from './commands/messages.ts'
import { retry } from './commands/retry.ts'
import { run } from './commands/run.ts'
import { show } from './commands/show.ts'
import { token } from './commands/token.ts'
import { version } from './commands/version.ts'
import { withdraw } from './commands/withdraw.ts'
import type { Context } from './context.ts'
import { EXIT, Fault } from './server/faults.ts'

/** @returns the exit code */
export type Command = (args: readonly string[], context: Context) => Promise<number>

const COMMANDS: ReadonlyMap<string, Command> = new Map(
  Object.entries({
    run,
    list,
    show,
    message,
    messages,
    withdraw,
    retry,
    cancel,
    diff,
    bundle,
    token,
    credentials,
    link,
    demo,
    help,
    '--help': help,
    '-h': help,
    version,
    '--version': version,
    '-v': version,
  }),
)

/** @throws Fault when there is no such command */
export function commandNamed(name: string): Command {
  const command = COMMANDS.get(name)
  if (!command) throw new Fault(EXIT.refused, `There is no command “${name}”. See: errand help`)
  return command
}
