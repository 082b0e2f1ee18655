import { createRequire } from 'node:module'
import type { Express } from 'express'
import type { Overview } from '../../../contract/api/overview.ts'
import { findOverview } from '../../store/overview.ts'
import type { Parts } from '../parts.ts'
import { requireAdmin } from '../sign-in/authenticate.ts'

const { version } = createRequire(import.meta.url)('../../../package.json') as { version: string }

/** The server at a glance, for whoever runs it. */
export function addOverview(app: Express, { db, readiness }: Pick<Parts, 'db' | 'readiness'>): void {
  app.get('/api/admin/overview', requireAdmin, async (_request, response) => {
    const found = await findOverview(db, Date.now())
    response.json({ ...found, redis: (await readiness()).redis, version } satisfies Overview)
  })
}
