import type { Me } from '../../../contract/api/api.ts'
import { MODELS } from '../../../contract/shared/models.ts'
import { Refusal } from '../../process/errors.ts'
import { deleteCredential, listCredentials, putCredential } from '../../store/accounts/credentials.ts'
import { findOwnBudget, setOwnBudget } from '../../store/accounts/users.ts'
import { createProject, deleteProject, listProjects } from '../../store/projects.ts'
import type { User } from '../../store/user.ts'
import { parseRepoUrl } from '../../tasks/repo-url.ts'
import type { Parts } from '../parts.ts'
import type { Serve } from '../serve-endpoint.ts'

type Wanted = Pick<Parts, 'db' | 'secrets' | 'config' | 'demo'>

/** Who calls, their budget, and their access to git hosts. */
export function addMeRoutes(serve: Serve, parts: Wanted): void {
  const { db, secrets } = parts
  serve('findMe', ({ user }) => describeMe(parts, user))
  serve('changeMe', async ({ user, body: { ownBudgetUsd } }) => {
    if (ownBudgetUsd !== undefined) await setOwnBudget(db, user.id, ownBudgetUsd)
    return describeMe(parts, user)
  })

  serve('listCredentials', async ({ user }) => ({ items: await listCredentials(db, user.id) }))
  serve('putCredential', ({ user, body }) => putCredential(db, secrets, user.id, body))
  serve('deleteCredential', async ({ user, params }) => {
    if (!(await deleteCredential(db, user.id, params.host)))
      throw new Refusal('not_found', 'You have no credential for this host.')
  })
}

async function describeMe({ db, config, demo }: Wanted, user: User): Promise<Me> {
  const ownBudgetUsd = await findOwnBudget(db, user.id)
  return {
    ...user,
    demo: config.anthropicApiKey === null,
    demoRepoUrl: `${config.publicUrl}${demo.repoPath}`,
    gitHosts: [...config.gitHosts],
    models: Object.keys(MODELS),
    defaultModel: config.defaultModel,
    defaultBudgetUsd: ownBudgetUsd ?? config.defaultBudgetUsd,
    ownBudgetUsd,
  }
}

/** The repositories that a user works on most. */
export function addProjectRoutes(serve: Serve, { db, config, demo }: Pick<Parts, 'db' | 'config' | 'demo'>): void {
  const rules = { allowedOrigins: config.gitHosts, demoRepoUrl: `${config.publicUrl}${demo.repoPath}` }
  serve('listProjects', async ({ user }) => ({ items: await listProjects(db, user.id) }))
  serve('createProject', ({ user, body: { repoUrl, name } }) =>
    createProject(db, user.id, { repoUrl: parseRepoUrl(repoUrl, rules), name }),
  )
  serve('deleteProject', async ({ user, params }) => {
    if (!(await deleteProject(db, user.id, params.id))) throw new Refusal('not_found', 'You have no project with this id.')
  })
}
