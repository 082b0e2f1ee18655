import type { Logger } from 'pino'
import type { Lease } from '../../contract/wire/lease.ts'
import type { Config } from '../process/config.ts'
import { Refusal } from '../process/errors.ts'
import type { Secrets } from '../secrets/secrets.ts'
import { findCredential } from '../store/accounts/credentials.ts'
import { findGithubToken } from '../store/accounts/users.ts'
import type { Store } from '../store/sqlite/database.ts'
import type { TaskRow } from '../store/tasks.ts'

/** The short-lived secrets of one task. Only the lease's holder gets them; they are never stored or logged on the way. */
export type LeaseSecrets = (task: TaskRow) => Promise<Lease['access']>

type Parts = {
  config: Config
  db: Store
  secrets: Secrets
  demo: { repoPath: string; gitUsername: string; gitToken: string; modelKey: string }
  demoRepoUrl: string
  log: Logger
}

export function createLeaseSecrets({ config, db, secrets, demo, demoRepoUrl, log }: Parts): LeaseSecrets {
  const gitAccess = async (userId: string, url: URL): Promise<{ username: string | null; token: string | null }> => {
    try {
      const own = await findCredential(db, secrets, userId, url.host)
      if (own) return own
      const isGithub = config.github !== null && url.origin === config.github.url
      const token = isGithub ? await findGithubToken(db, secrets, userId) : null
      return { username: token === null ? null : 'x-access-token', token }
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      // Without a token the git host asks for credentials, and the task ends with a reason that tells the user to set them again.
      log.warn({ event: 'credential.unreadable', userId, host: url.host, err: error })
      return { username: null, token: null }
    }
  }

  return async (task) => ({
    repo:
      task.repo_url === demoRepoUrl
        ? { upstream: demo.repoPath, username: demo.gitUsername, token: demo.gitToken }
        : { upstream: task.repo_url, ...(await gitAccess(task.user_id, new URL(task.repo_url))) },
    modelApi:
      config.anthropicApiKey === null
        ? { baseUrl: '/demo/model', key: demo.modelKey }
        : { baseUrl: config.anthropicBaseUrl, key: config.anthropicApiKey },
  })
}
