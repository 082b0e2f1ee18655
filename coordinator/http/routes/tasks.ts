import { pipeline } from 'node:stream/promises'
import type { CreateTask } from '../../../contract/api/api.ts'
import { addressOf } from '../../../contract/api/routes.ts'
import { Refusal } from '../../process/errors.ts'
import type { Parts } from '../parts.ts'
import type { Serve } from '../serve-endpoint.ts'

/** The tasks of one user; the task of another user is `not_found`. */
export function addTaskRoutes(serve: Serve, { tasks, limits }: Pick<Parts, 'tasks' | 'limits'>): void {
  serve(
    'createTask',
    async ({ user, body, headers, response }) => {
      const { task, created } = await tasks.create(user, withKey(body, headers['Idempotency-Key']))
      response.status(created ? 201 : 200).location(addressOf('findTask', [task.id]))
      return task
    },
    [limits.create],
  )
  serve('listTasks', ({ user, query }) => tasks.list(user.id, query))
  serve('findTask', ({ user, params }) => tasks.find(user.id, params.id))
  serve('changeTask', ({ user, params, body }) => tasks.change(user.id, params.id, body))
  serve('deleteTask', ({ user, params }) => tasks.remove(user.id, params.id))
  serve('cancelTask', ({ user, params }) => tasks.cancel(user.id, params.id))
  serve('retryTask', ({ user, params, body }) => tasks.retry(user.id, params.id, body), [limits.create])

  serve('listEvents', ({ user, params, query }) => tasks.events(user.id, params.id, query))
  serve('listMessages', async ({ user, params }) => ({ items: await tasks.messages(user.id, params.id) }))
  serve(
    'sendMessage',
    async ({ user, params, body, response }) => {
      const { message, created } = await tasks.send(user.id, params.id, body)
      response.status(created ? 201 : 200)
      return message
    },
    [limits.create],
  )
  serve('withdrawMessage', ({ user, params }) => tasks.withdraw(user.id, params.id, params.messageId))

  serve('findChanges', ({ user, params, query }) => tasks.changes(user.id, params.id, query.turn))
  serve('downloadDiff', async ({ user, params, query, response }) => {
    const patch = await tasks.patch(user.id, params.id, query.turn)
    response.set('Content-Type', 'text/x-diff; charset=utf-8')
    await pipeline(patch, response)
  })
  serve('downloadBundle', async ({ user, params, response }) => {
    const bundle = await tasks.bundle(user.id, params.id)
    response.attachment(`errand-${params.id}.bundle`).type('application/octet-stream')
    await pipeline(bundle, response)
  })
  serve('downloadOutput', async ({ user, params, response }) => {
    const path = await tasks.output(user.id, params.id, params.callId)
    // It answers ranges. The data folder may be hidden.
    response.type('text/plain').sendFile(path, { dotfiles: 'allow', cacheControl: false })
  })
}

/** `Idempotency-Key` is the usual name for the body's `clientId`. @throws Refusal `invalid` if they differ */
function withKey(task: CreateTask, key: string | undefined): CreateTask {
  if (key === undefined) return task
  if (task.clientId !== undefined && task.clientId !== key)
    throw new Refusal('invalid', 'Idempotency-Key and clientId differ: send one of them, or the same value in both.')
  return { ...task, clientId: key }
}
