import { randomUUID } from 'node:crypto'
import { tmpdir } from 'node:os'
import { DOOR } from '../../contract/wire/names.ts'
import { MARKER } from './processes.ts'

/** What the sandbox's processes read from their environment: once, frozen. */
export type Config = Readonly<{
  /** The attempt's random token, good for this task behind the door and nothing else. */
  token: string
  /** Marks every process of this run; the supervisor hands it to the agent. */
  run: string
  /** The door as the runner mounts it, and the port that shows it on 127.0.0.1. */
  socketPath: string
  port: number
  doorUrl: string
  /** Where the agent clones the repository. Not the mount itself, which may contain a `lost+found`. */
  workspace: string
  /** The folder of whole tool outputs, in which the model can read further. */
  scratch: string
  /** The environment of tools: nothing of ours and no secret. */
  inherited: Readonly<Record<string, string>>
}>

const INHERITED = ['PATH', 'HOME', 'LANG', 'USER', 'TMPDIR']

/**
 * Only the token is required. The places default to those of the image; tests on a plain host set them.
 * @param environment usually `process.env`
 * @throws Error when the token is missing
 */
export function readConfig(environment: Record<string, string | undefined>): Config {
  const token = environment[DOOR.tokenVariable]
  if (!token) throw new Error(`${DOOR.tokenVariable} is not set: a runner starts sandboxes, and makes a token for each attempt`)
  const port = Number(environment.ERRAND_DOOR_PORT ?? DOOR.port)
  return Object.freeze({
    token,
    run: environment[MARKER] ?? randomUUID(),
    socketPath: environment.ERRAND_DOOR_SOCKET ?? DOOR.socket,
    port,
    doorUrl: `http://127.0.0.1:${port}`,
    workspace: environment.ERRAND_WORKSPACE ?? '/workspace/repository',
    scratch: environment.ERRAND_SCRATCH ?? `${tmpdir()}/errand`,
    inherited: Object.freeze(
      Object.fromEntries(INHERITED.flatMap((name) => (environment[name] ? [[name, environment[name]]] : []))),
    ),
  })
}
