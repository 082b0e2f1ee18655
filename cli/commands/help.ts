import type { Context } from '../context.ts'
import { EXIT } from '../server/faults.ts'

const HELP = `errand: send a coding agent on an errand

  errand run "what to do"                send a task, and follow it to its end
      --repo URL      the repository, --base BRANCH the branch to begin from; without --repo
                      both are those of the checkout you stand in
      --model MODEL   let this model work      --budget USD    spend at most this
      --detach        send it, print its id, and leave
  errand demo                            the demo task on the demo repository of the server
  errand list [--status STATUS]          the newest tasks
  errand show ID [--follow]              what happened; with --follow live, until the end
  errand message ID "what to say"        to the running turn, between two tools; when it has ended, the next turn
      --queue         not before the running turn has ended
      --stop          stop the running turn; this begins the next one
  errand messages ID                     what was said to it, and where each of it stands
  errand withdraw ID MESSAGE             take back what still waits
  errand retry ID [--model M] [--budget USD]      the last turn again; the budget is added
  errand cancel ID                       stop it; what was done so far is kept on its branch
  errand diff ID                         the patch
  errand bundle ID > FILE                the work as a git bundle, when it could not be pushed

  errand credentials set HOST [--username NAME]   access to a git host; the token comes on standard
                                         input or in ERRAND_GIT_TOKEN
  errand credentials list | remove HOST
  errand token new NAME | list | revoke ID        access for scripts and for other machines
  errand --version
  errand link                            a link that signs a browser in, once

  Instead of words, run and message take - for standard input, or --file PATH.
  An ID may be shortened while it is unique: errand show k3f
  run, demo and show take --json: every event as one line of JSON, and nothing else.
  Ctrl-C while following leaves; the task goes on.

In Errand's own folder it is called as npx errand; after npm link there, as errand in every folder.

The server: ERRAND_URL and ERRAND_TOKEN, or else the one that runs here (npm start), found by
server.json in ERRAND_DATA_DIR, or in .errand of Errand's own folder. Errand's .env counts.

Exit codes of run, demo and show --follow tell the end:
  0 completed   1 failed   3 cancelled   130 left with Ctrl-C, still running
and of every command: 0 done   2 wrong command line, or refused by the server
  4 no server, no answer, or no access   130 interrupted with Ctrl-C
`

/** `errand help` */
export async function help(_args: readonly string[], context: Context): Promise<number> {
  context.print(HELP.trimEnd())
  return EXIT.completed
}
