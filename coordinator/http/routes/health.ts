import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Refusal } from '../../process/errors.ts'
import { ROOT_FOLDER } from '../../process/root-folder.ts'
import { findOverview } from '../../store/overview.ts'
import { setDraining } from '../../store/runners.ts'
import { findUsedSpace } from '../../store/used-space.ts'
import type { Parts } from '../parts.ts'
import type { Serve } from '../serve-endpoint.ts'

const { version } = JSON.parse(readFileSync(join(ROOT_FOLDER, 'package.json'), 'utf8')) as { version: string }

/** For supervisors and Prometheus. These answers contain nothing about any user. */
export function addHealthRoutes(serve: Serve, { readiness, metrics }: Pick<Parts, 'readiness' | 'metrics'>): void {
  serve('checkHealth', () => ({ status: 'ok' }))
  serve('checkReadiness', async ({ response }) => {
    const answers = await readiness()
    const ready = answers.store && answers.redis
    response.status(ready ? 200 : 503)
    return { status: ready ? 'ready' : 'not ready', ...answers }
  })
  serve('readMetrics', async ({ response }) => {
    response.set('Content-Type', metrics.contentType).send(await metrics.text())
  })
}

type Wanted = Pick<Parts, 'db' | 'readiness' | 'disk' | 'backups' | 'config'>

/** The whole server at a glance, and what takes its space, for its admins. */
export function addOverview(serve: Serve, { db, readiness, disk, backups, config }: Wanted): void {
  serve('findOverview', async () => {
    const { redis } = await readiness()
    return { ...(await findOverview(db, Date.now())), redis, disk: await disk.look(), backups: await backups.look(), version }
  })
  serve('changeRunner', async ({ params, body }) => {
    if (!(await setDraining(db, params.id, body.drain)))
      throw new Refusal('not_found', 'There is no runner with this id. The overview lists them.')
  })
  serve('findStorage', async () => {
    const { floorBytes: _, ...limits } = config.storage
    return { disk: await disk.look(), ...(await findUsedSpace(db, limits.userBytes)), limits }
  })
}
