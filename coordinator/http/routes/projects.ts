import type { Express } from 'express'
import { CreateProject } from '../../../contract/api/api.ts'
import { Refusal } from '../../process/errors.ts'
import { createProject, deleteProject, listProjects } from '../../store/projects.ts'
import { parseRepoUrl } from '../../tasks/repo-url.ts'
import type { Parts } from '../parts.ts'
import { currentUser } from '../sign-in/authenticate.ts'

/** The repositories that a user keeps at hand. */
export function addProjectRoutes(app: Express, { db, config, demo }: Parts): void {
  const rules = { allowedOrigins: config.gitHosts, demoRepoUrl: `${config.publicUrl}${demo.repoPath}` }
  app.get('/api/projects', async (request, response) => {
    response.json({ items: await listProjects(db, currentUser(request).id) })
  })
  app.post('/api/projects', async (request, response) => {
    const { repoUrl, name } = CreateProject.parse(request.body)
    const project = await createProject(db, currentUser(request).id, { repoUrl: parseRepoUrl(repoUrl, rules), name })
    response.status(201).json(project)
  })
  app.delete('/api/projects/:id', async (request, response) => {
    if (!(await deleteProject(db, currentUser(request).id, request.params.id)))
      throw new Refusal('not_found', 'You have no project with this id.')
    response.sendStatus(204)
  })
}
