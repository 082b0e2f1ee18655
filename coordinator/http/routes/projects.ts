import { Refusal } from '../../process/errors.ts'
import { createProject, deleteProject, listProjects } from '../../store/projects.ts'
import { parseRepoUrl } from '../../tasks/repo-url.ts'
import type { Parts } from '../parts.ts'
import type { Serve } from '../serve-endpoint.ts'

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
