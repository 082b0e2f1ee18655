import { pipeline } from 'node:stream/promises'
import type { Express, Request, RequestHandler } from 'express'
import { ClientId, CreateTask, ListEvents, ListTasks } from '../../contract/api.ts'
import { Refusal } from '../errors.ts'
import type { Parts } from '../parts.ts'
import { currentUser } from './authenticate.ts'

/** A user's own tasks; somebody else's are not there. */
export const addTaskRoutes = (app: Express, { tasks }: Pick<Parts, 'tasks'>, limitCreate: RequestHandler): void => {
  app.post('/api/tasks', limitCreate, async (request, response) => {
    const { task, created } = await tasks.create(currentUser(request), readNewTask(request))
    response
      .status(created ? 201 : 200)
      .location(`/api/tasks/${task.id}`)
      .json(task)
  })
  app.get('/api/tasks', async (request, response) => {
    response.json(await tasks.list(currentUser(request).id, ListTasks.parse(request.query)))
  })
  app.get('/api/tasks/:id', async (request, response) => {
    response.json(await tasks.find(currentUser(request).id, request.params.id))
  })
  app.get('/api/tasks/:id/events', async (request, response) => {
    response.json(await tasks.events(currentUser(request).id, request.params.id, ListEvents.parse(request.query)))
  })
  app.get('/api/tasks/:id/diff', async (request, response) => {
    const patch = await tasks.patch(currentUser(request).id, request.params.id)
    response.set('Content-Type', 'text/x-diff; charset=utf-8')
    await pipeline(patch, response)
  })
  app.get('/api/tasks/:id/bundle', async (request, response) => {
    const bundle = await tasks.bundle(currentUser(request).id, request.params.id)
    response.attachment(`errand-${request.params.id}.bundle`).type('application/octet-stream')
    await pipeline(bundle, response)
  })
  app.post('/api/tasks/:id/cancel', async (request, response) => {
    response.status(202).json(await tasks.cancel(currentUser(request).id, request.params.id))
  })
  for (const later of ['messages', 'retry'] as const)
    app.post(`/api/tasks/:id/${later}`, async (request: Request<{ id: string }>) => {
      await tasks.find(currentUser(request).id, request.params.id)
      throw new Refusal('not_implemented', 'A task takes one message so far: send what you want next as a task of its own.')
    })
}

/** The header is the usual name for what the body calls `clientId`. @throws Refusal `invalid` when they differ */
const readNewTask = (request: Request): CreateTask => {
  const key = request.get('idempotency-key')
  const input = CreateTask.parse(request.body)
  if (key === undefined) return input
  const clientId = ClientId.parse(key)
  if (input.clientId !== undefined && input.clientId !== clientId)
    throw new Refusal('invalid', 'Idempotency-Key and clientId differ: send one of them, or the same in both.')
  return { ...input, clientId }
}
