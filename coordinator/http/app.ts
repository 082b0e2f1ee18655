import { join } from 'node:path'
import compression from 'compression'
import express, { type Express } from 'express'
import { LIMITS } from '../../contract/api/limits.ts'
import { answerErrors, answerNotFound } from './errors.ts'
import { noStore, securityHeaders } from './middleware/headers.ts'
import { logRequests } from './middleware/request-log.ts'
import { addAppPages, serveAppFiles } from './pages/serve-app.ts'
import type { Parts } from './parts.ts'
import { addBoard } from './routes/board.ts'
import { addDeviceRoutes } from './routes/devices.ts'
import { addDocs } from './routes/docs.ts'
import { addHealthRoutes } from './routes/health.ts'
import { addMeRoutes } from './routes/me.ts'
import { addNotificationRoutes } from './routes/notifications.ts'
import { addOverview } from './routes/overview.ts'
import { addProjectRoutes } from './routes/projects.ts'
import { addRunnerRoutes } from './routes/runner.ts'
import { addTaskRoutes } from './routes/tasks.ts'
import { addAuthRoutes } from './sign-in/auth.ts'
import { authenticate } from './sign-in/authenticate.ts'
import { createPassport } from './sign-in/passport.ts'
import { createSession } from './sign-in/session.ts'

/** Everything that this server answers over HTTP, in the order in which a request meets it. */
export function createApp(parts: Parts): Express {
  const { config, demo, appFolder, limits } = parts
  const readJson = express.json({ limit: LIMITS.bodyBytes })
  const readForm = express.urlencoded({ limit: '2kb', extended: false })
  const serveFolder = (path: string) => express.static(path, { index: false, maxAge: '1h' })

  const app = express()
  app.set('trust proxy', config.trustedProxies)
  app.use(logRequests(parts.log), securityHeaders(config))

  // Raw bytes both ways, for programs with tokens of their own: before any session, and before anything that reads a body.
  app.use('/demo/model', demo.handleModel)
  app.use('/demo/git', demo.handleGit)
  addHealthRoutes(app, parts)
  app.use('/runner', noStore)
  addRunnerRoutes(app, parts, readJson)

  // What came before is either small or flows.
  app.use(compression())
  app.use('/static', serveFolder(join(import.meta.dirname, 'pages/public')))
  addDocs(app, config.publicUrl, serveFolder)
  app.use(serveAppFiles(appFolder))

  // From here on a request may be somebody's.
  const passport = createPassport(parts)
  app.use(noStore, createSession(parts), passport.session())
  app.use('/auth', limits.signIn)
  addAuthRoutes(app, parts, { passport, readForm })
  app.use('/api', authenticate(parts), limits.api, readJson)
  addTaskRoutes(app, parts, limits.create)
  addProjectRoutes(app, parts)
  addMeRoutes(app, parts)
  addDeviceRoutes(app, parts)
  addNotificationRoutes(app, parts)
  addOverview(app, parts)
  addBoard(app, parts)
  addAppPages(app, appFolder)

  app.use(answerNotFound)
  app.use(answerErrors)
  return app
}
