import { join } from 'node:path'
import compression from 'compression'
import express, { type Express } from 'express'
import { LIMITS } from '../../contract/api/limits.ts'
import { ROOT_FOLDER } from '../process/root-folder.ts'
import { answerErrors, answerNotFound } from './errors.ts'
import { noStore, securityHeaders } from './middleware/headers.ts'
import { logRequests } from './middleware/request-log.ts'
import type { Parts } from './parts.ts'
import { addAppPages, serveAppFiles } from './routes/app-pages.ts'
import { addBoard } from './routes/board.ts'
import { addDeviceRoutes } from './routes/devices.ts'
import { addDocs } from './routes/docs.ts'
import { addHealthRoutes, addOverview } from './routes/health.ts'
import { addMeRoutes, addProjectRoutes } from './routes/me.ts'
import { addNotificationRoutes } from './routes/notifications.ts'
import { addRunnerRoutes } from './routes/runner.ts'
import { addSignInRoutes } from './routes/sign-in.ts'
import { addTaskRoutes } from './routes/tasks.ts'
import { createServe } from './serve-endpoint.ts'
import { authenticate } from './sign-in/authenticate.ts'
import { createPassport } from './sign-in/passport.ts'
import { createSession } from './sign-in/session.ts'

/** Everything that this server answers over HTTP, in the order in which a request passes it. */
export function createApp(parts: Parts): Express {
  const { config, demo, appFolder, limits } = parts
  const readJson = express.json({ limit: LIMITS.bodyBytes })
  const readForm = express.urlencoded({ limit: '2kb', extended: false })
  const serveFolder = (path: string) => express.static(path, { index: false, maxAge: '1h' })

  const app = express()
  const serve = createServe(app)
  app.set('trust proxy', config.trustedProxies)
  app.use(logRequests(parts.log), securityHeaders(config))

  // These exchange raw bytes with programs that have their own tokens. They come before sessions and before anything that reads a body.
  app.use('/demo/model', demo.handleModel)
  app.use('/demo/git', demo.handleGit)
  addHealthRoutes(serve, parts)
  app.use('/runner', noStore)
  addRunnerRoutes(app, parts, readJson)

  // The routes above send little, or stream.
  app.use(compression())
  app.use('/static', serveFolder(join(ROOT_FOLDER, 'coordinator/http/pages/public')))
  addDocs(serve, { app, publicUrl: config.publicUrl, serveFolder })
  app.use(serveAppFiles(appFolder))

  // From here on a request may come from a user.
  const passport = createPassport(parts)
  app.use(noStore, createSession(parts), passport.session())
  app.use('/auth', limits.signIn)
  addSignInRoutes(serve, parts, { passport, readForm })
  app.use('/api', authenticate(parts), limits.api, readJson)
  addTaskRoutes(serve, parts)
  addProjectRoutes(serve, parts)
  addMeRoutes(serve, parts)
  addDeviceRoutes(serve, parts)
  addNotificationRoutes(serve, parts)
  addOverview(serve, parts)
  addBoard(app, parts)
  addAppPages(app, serve, appFolder)

  app.use(answerNotFound)
  app.use(answerErrors)
  return app
}
