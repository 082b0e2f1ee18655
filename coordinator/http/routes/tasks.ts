import { pipeline } from 'node:stream/promises'
import type { Express, Request, RequestHandler } from 'express'
import { z } from 'zod'
import { ClientId, CreateTask, ListEvents, ListTasks, RetryTask, SendMessage } from '../../../contract/api/api.ts'
import { Refusal } from '../../process/errors.ts'
import type { Parts } from '../parts.ts'
import { currentUser } from '../sign-in/authenticate.ts'

/** A user's own tasks; somebody else's are not there. */
export function addTaskRoutes(app: Express, { tasks }: Pick<Parts, 'tasks'>, limitCreate: RequestHandler): void {
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
    const patch = await tasks.patch(currentUser(request).id, request.params.id, OfTurn.parse(request.query).turn)
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
  app.post('/api/tasks/:id/retry', limitCreate, async (request: Request<{ id: string }>, response) => {
    response.status(202).json(await tasks.retry(currentUser(request).id, request.params.id, RetryTask.parse(request.body ?? {})))
  })
  app.post('/api/tasks/:id/messages', limitCreate, async (request: Request<{ id: string }>, response) => {
    const input = SendMessage.parse(request.body)
    const { message, created } = await tasks.send(currentUser(request).id, request.params.id, input)
    response.status(created ? 201 : 200).json(message)
  })
  app.get('/api/tasks/:id/messages', async (request, response) => {
    response.json({ items: await tasks.messages(currentUser(request).id, request.params.id) })
  })
  app.delete('/api/tasks/:id/messages/:messageId', async (request, response) => {
    const { id, messageId } = request.params
    response.json(await tasks.withdraw(currentUser(request).id, id, messageId))
  })
  app.get('/api/tasks/:id/changes', async (request, response) => {
    response.json(await tasks.changes(currentUser(request).id, request.params.id, OfTurn.parse(request.query).turn))
  })
  app.get('/api/tasks/:id/outputs/:callId', async (request, response) => {
    const { id, callId } = request.params
    const path = await tasks.output(currentUser(request).id, id, callId)
    // Answers ranges. The data folder may be a hidden one.
    response.type('text/plain').sendFile(path, { dotfiles: 'allow', cacheControl: false })
  })
}

const OfTurn = z.object({ turn: z.coerce.number().int().positive().optional() })

/** The header is the usual name for what the body calls `clientId`. @throws Refusal `invalid` when they differ */
function readNewTask(request: Request): CreateTask {
  const key = request.get('idempotency-key')
  const input = CreateTask.parse(request.body)
  if (key === undefined) return input
  const clientId = ClientId.parse(key)
  if (input.clientId !== undefined && input.clientId !== clientId)
    throw new Refusal('invalid', 'Idempotency-Key and clientId differ: send one of them, or the same in both.')
  return { ...input, clientId }
}
