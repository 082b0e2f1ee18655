import { createBullBoard } from '@bull-board/api'
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter'
import { ExpressAdapter } from '@bull-board/express'
import type { Express, RequestHandler } from 'express'
import { boardHeaders } from '../middleware/headers.ts'
import type { Parts } from '../parts.ts'
import { authenticate, bearerToken, requireAdmin } from '../sign-in/authenticate.ts'

const PATH = '/admin/queues'

/** Bull Board, read-only and only for admins: the store, not the queue, decides what happens to a task. */
export function addBoard(app: Express, parts: Pick<Parts, 'db' | 'dispatch'>): void {
  const adapter = new ExpressAdapter().setBasePath(PATH)
  createBullBoard({
    queues: [new BullMQAdapter(parts.dispatch.queue, { readOnlyMode: true })],
    serverAdapter: adapter,
    options: { uiConfig: { boardTitle: 'Errand', hideRedisDetails: true } },
  })
  app.use(PATH, sendToSignIn, authenticate(parts), requireAdmin, boardHeaders, adapter.getRouter())
}

const sendToSignIn: RequestHandler = (request, response, next) => {
  const isVisitor = !request.user && bearerToken(request) === null && request.accepts(['json', 'html']) === 'html'
  if (isVisitor) response.redirect(303, '/')
  else next()
}
