import { type GitServer, startGitServer } from '../outside/git-server.ts'
import { type ModelServer, type Policy, startModelServer } from '../outside/model-server.ts'
import { type System, startSystem } from './system.ts'

/** Secrets that must never be seen inside a sandbox. Not in any pattern's form, so that only their absence keeps them out. */
export const CANARIES = { model: 'model-canary-3f9ad17c52e84b60', git: 'git-canary-8be1704fd5a2c396' } as const
export const GIT_USER = 'ada'

export type Outside = { system: System; git: GitServer; model: ModelServer; stop: () => Promise<void> }

/** The whole river with the outside world around it: a git host that wants a password, and the strict model server. */
export async function startOutside(options: {
  policy: Policy
  runners?: Array<Record<string, string>>
  environment?: Record<string, string>
  redisPersistent?: boolean
}): Promise<Outside> {
  const git = await startGitServer({ username: GIT_USER, password: CANARIES.git })
  const model = await startModelServer({ key: CANARIES.model, policy: options.policy })
  const system = await startSystem({
    runners: options.runners ?? [{}],
    ...(options.redisPersistent !== undefined && { redisPersistent: options.redisPersistent }),
    environment: {
      ANTHROPIC_API_KEY: CANARIES.model,
      ANTHROPIC_BASE_URL: model.url,
      ERRAND_GIT_HOSTS: git.url,
      ...options.environment,
    },
  })
  return {
    system,
    git,
    model,
    stop: async () => {
      await system.stop()
      await Promise.all([git.stop(), model.stop()])
    },
  }
}

/** Gives a user access to the git host, as `PUT /api/me/credentials` does. @param password another one is refused by the host */
export async function giveAccess({ system, git }: Outside, options: { password?: string; token?: string } = {}): Promise<void> {
  const body = { host: new URL(git.url).host, username: GIT_USER, token: options.password ?? CANARIES.git }
  const as = options.token ? { token: options.token } : {}
  const { status } = await system.api('/api/me/credentials', { method: 'PUT', body, ...as })
  if (status >= 300) throw new Error(`PUT /api/me/credentials: ${status}`)
}
