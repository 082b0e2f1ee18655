import type { Express } from 'express'
import type { Parts } from '../parts.ts'

/** For supervisors and Prometheus; they say nothing about any user. */
export function addHealthRoutes(app: Express, { readiness, metrics }: Pick<Parts, 'readiness' | 'metrics'>): void {
  app.get('/healthz', (_request, response) => {
    response.json({ status: 'ok' })
  })
  app.get('/readyz', async (_request, response) => {
    const answers = await readiness()
    const ready = answers.store && answers.redis
    response.status(ready ? 200 : 503).json({ status: ready ? 'ready' : 'not ready', ...answers })
  })
  app.get('/metrics', async (_request, response) => {
    response.set('Content-Type', metrics.contentType).send(await metrics.text())
  })
}
