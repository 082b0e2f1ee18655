import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as z from 'zod'
import { readArguments } from '../input/arguments.ts'
import type { Context } from '../server/context.ts'
import { EXIT } from '../server/faults.ts'

const HELP = `errand: send a coding agent on an errand

  errand run "PROMPT"                    send a task and follow it until it ends
      --repo URL      the repository; --base BRANCH the branch to start from. Without --repo,
                      both come from the current checkout
      --model MODEL   use this model           --budget USD    spend at most this much
      --effort LEVEL  low, medium or high      --detach        send it, print its id and return
  errand demo                            send the demo task on the server's demo repository
  errand list [--status STATUS]          list the newest tasks
  errand show ID [--follow]              show the history; with --follow, live until the end
  errand message ID "TEXT"               steer the running turn; on an ended task, start the next turn
      --queue         wait until the running turn ends
      --stop          end the running turn; this message starts the next one
  errand messages ID                     list your messages to a task, with their state
  errand withdraw ID MESSAGE             withdraw a waiting message
  errand retry ID [--model M] [--effort LEVEL] [--budget USD]
                                         run the last turn again; --budget adds to what is left
  errand budget ID USD | +USD            change what the task may cost in all, also while it runs
  errand cancel ID                       cancel the task; its work so far stays on the branch
  errand delete ID [--yes]               delete an ended task for good; its branch stays
  errand diff ID                         print the patch
  errand bundle ID > FILE                get the work as a git bundle if it could not be pushed

  errand credentials set HOST [--username NAME]   give access to a git host; reads the token from
                                         standard input or from ERRAND_GIT_TOKEN
  errand credentials list | remove HOST
  errand token new NAME | list | revoke ID        API tokens for scripts and other machines
  errand storage [--json]                show what takes the space on the server (admins)
  errand link                            print a link that signs in a browser, once
  errand runner list | drain NAME [--hand-over] | resume NAME
                                         take a runner out of service: its tasks end, or others go on
  errand backup FILE                     back up the server of this machine while it runs, or not
      --key-file FILE encrypt it with the key in this file, or with ERRAND_BACKUP_KEY
  errand restore FILE [--to DIR]         restore a backup into an empty data folder
  errand doctor [--json]                 examine the server of this machine and say what to mend,
                                         also when it does not run
  errand --version

  backup and restore take - for standard output and input.
  run and message also take the text from standard input (-) or from a file (--file PATH).
  You can shorten an ID as long as it is unique: errand show k3f
  run, demo and show take --json: they print each event as one line of JSON and nothing else.
  Ctrl-C stops following; the task goes on.

In Errand's own folder, use npx errand. After npm link, errand works in every folder.

The server is ERRAND_URL with ERRAND_TOKEN, or the one that runs on this machine (npm start): its
server.json is in ERRAND_DATA_DIR, or in .errand in Errand's own folder. Errand's .env applies.

Exit codes of run, demo and show --follow:
  0 completed   1 failed   3 cancelled   130 stopped following with Ctrl-C
Exit codes of doctor: 0 all works   1 something does not
Exit codes of every other command: 0 done   2 wrong command line, or refused by the server
  4 no server, no answer or no access   130 interrupted with Ctrl-C
`

/** `errand help` */
export async function help(_args: readonly string[], context: Context): Promise<number> {
  context.print(HELP.trimEnd())
  return EXIT.completed
}

/** `errand --version` */
export async function version(args: readonly string[], context: Context): Promise<number> {
  readArguments(args, {}, [], 'errand --version')
  const { version: number } = Package.parse(JSON.parse(readFileSync(join(context.home, 'package.json'), 'utf8')))
  context.print(`errand ${number}`)
  return EXIT.completed
}

const Package = z.object({ version: z.string() })
