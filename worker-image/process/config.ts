import { DOOR, DOOR_PATHS } from '../../contract/wire/names.ts'

/** Where things are in the image; both users know these places. */
export const PLACES = {
  /** Where the hands clone the repository. Not the mount itself, which may contain a `lost+found`. */
  workspace: '/workspace/repository',
  /** The agent's own folder: the hands may pass through it to the socket below, and read nothing in it. */
  home: '/home/agent',
  /** Where the agent waits for its hands. */
  handsSocket: '/home/agent/hands.sock',
} as const

/** What the agent's processes read from their environment: once, frozen. */
export type Config = Readonly<{
  /** The attempt's random token, good for this task behind the door and nothing else. */
  token: string
  /** The agent's way through the door as the runner mounts it. */
  doorSocket: string
  handsSocket: string
  /** For the model's eyes alone: the agent itself opens nothing in it. */
  workspace: string
  /** The repository's address for git, at the door of the hands. */
  remote: string
  /** The folder of the conversation. */
  home: string
}>

/**
 * Only the token is required. The places default to those of the image; tests on a plain host set them.
 * @param environment usually `process.env`
 * @throws Error when the token is missing
 */
export function readConfig(environment: Record<string, string | undefined>): Config {
  const token = environment[DOOR.tokenVariable]
  if (!token) throw new Error(`${DOOR.tokenVariable} is not set: a runner starts sandboxes, and makes a token for each attempt`)
  return Object.freeze({
    token,
    doorSocket: environment.ERRAND_DOOR_SOCKET ?? DOOR.socket,
    handsSocket: environment.ERRAND_HANDS_SOCKET ?? PLACES.handsSocket,
    workspace: environment.ERRAND_WORKSPACE ?? PLACES.workspace,
    remote: environment.ERRAND_REMOTE ?? `http://127.0.0.1:${DOOR.port}${DOOR_PATHS.git}`,
    home: environment.ERRAND_HOME ?? PLACES.home,
  })
}
