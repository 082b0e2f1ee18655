import { randomUUID } from 'node:crypto'
import { DOOR } from '../../contract/wire/names.ts'
import { PLACES } from '../process/config.ts'
import { MARKER } from '../process/processes.ts'

/** What the hands read from their environment: once, frozen. There is no secret in it. */
export type HandsConfig = Readonly<{
  /** Where the agent waits for its hands. */
  agentSocket: string
  /** The way of the hands through the door as the runner mounts it, and the port that shows it on 127.0.0.1. */
  doorSocket: string
  port: number
  doorUrl: string
  /** Where the repository is cloned. */
  workspace: string
  /** The folder of whole outputs, in which the model can read further. */
  scratch: string
  /** Marks every process that the hands start, see process/processes.ts. */
  run: string
  /** The environment of commands: the image's own, without anything of ours. */
  inherited: Readonly<Record<string, string>>
}>

/**
 * The places default to those of the image; tests on a plain host set them.
 * @param environment usually `process.env`
 */
export function readHandsConfig(environment: Record<string, string | undefined>): HandsConfig {
  const port = Number(environment.ERRAND_DOOR_PORT ?? DOOR.port)
  const foreign = Object.entries(environment).filter(([name]) => !name.startsWith('ERRAND_'))
  return Object.freeze({
    agentSocket: environment.ERRAND_HANDS_SOCKET ?? PLACES.handsSocket,
    doorSocket: environment.ERRAND_HANDS_DOOR_SOCKET ?? DOOR.handsSocket,
    port,
    doorUrl: `http://127.0.0.1:${port}`,
    workspace: environment.ERRAND_WORKSPACE ?? PLACES.workspace,
    scratch: environment.ERRAND_SCRATCH ?? '/run/errand-outputs',
    run: environment[MARKER] ?? randomUUID(),
    inherited: Object.freeze(Object.fromEntries(foreign.flatMap(([name, value]) => (value ? [[name, value]] : [])))),
  })
}
