import type { Express } from 'express'
import { ChangeMe, CreateToken, type Me, PutCredential } from '../../../contract/api/api.ts'
import { MODELS } from '../../../contract/shared/models.ts'
import { Refusal } from '../../process/errors.ts'
import { deleteCredential, listCredentials, putCredential } from '../../store/accounts/credentials.ts'
import { revokeDevice } from '../../store/accounts/devices.ts'
import { issueToken, listTokens } from '../../store/accounts/tokens.ts'
import { findOwnBudget, setOwnBudget } from '../../store/accounts/users.ts'
import type { User } from '../../store/user.ts'
import type { Parts } from '../parts.ts'
import { currentUser } from '../sign-in/authenticate.ts'
import { refuseOwnToken } from './devices.ts'

/** Who asks, their budget, their access to git hosts, and their API tokens. */
export function addMeRoutes(app: Express, { db, secrets, config, demo, disconnectDevice, ownerTokenId }: Parts): void {
  const describe = async (user: User): Promise<Me> => {
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

  app.get('/api/me', async (request, response) => {
    response.json(await describe(currentUser(request)))
  })
  app.patch('/api/me', async (request, response) => {
    const user = currentUser(request)
    const { ownBudgetUsd } = ChangeMe.parse(request.body)
    if (ownBudgetUsd !== undefined) await setOwnBudget(db, user.id, ownBudgetUsd)
    response.json(await describe(user))
  })

  app.get('/api/me/credentials', async (request, response) => {
    response.json({ items: await listCredentials(db, currentUser(request).id) })
  })
  app.put('/api/me/credentials', async (request, response) => {
    response.json(await putCredential(db, secrets, currentUser(request).id, PutCredential.parse(request.body)))
  })
  app.delete('/api/me/credentials/:host', async (request, response) => {
    if (!(await deleteCredential(db, currentUser(request).id, request.params.host)))
      throw new Refusal('not_found', 'You have no credential for this host.')
    response.sendStatus(204)
  })

  app.get('/api/me/tokens', async (request, response) => {
    response.json({ items: await listTokens(db, currentUser(request).id) })
  })
  app.post('/api/me/tokens', async (request, response) => {
    response.status(201).json(await issueToken(db, currentUser(request).id, CreateToken.parse(request.body).name))
  })
  app.delete('/api/me/tokens/:id', async (request, response) => {
    const { id } = request.params
    refuseOwnToken(id, ownerTokenId)
    if (!(await revokeDevice(db, currentUser(request).id, id)))
      throw new Refusal('not_found', 'You have no API token with this id.')
    disconnectDevice(id)
    response.sendStatus(204)
  })
}
