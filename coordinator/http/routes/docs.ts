import { createRequire } from 'node:module'
import { dirname } from 'node:path'
import type { Express, RequestHandler } from 'express'
import { describeApi } from '../openapi.ts'
import { html, page } from '../pages/html.ts'
import type { Serve } from '../serve-endpoint.ts'

const require = createRequire(import.meta.url)

type Wanted = { app: Express; publicUrl: string; serveFolder: (path: string) => RequestHandler }

/**
 * The description of the API, for programs and for people. Swagger UI is served from its package, so that a browser contacts no other host.
 */
export function addDocs(serve: Serve, { app, publicUrl, serveFolder }: Wanted): void {
  // Made when somebody asks first: it takes a quarter of a second, and a server that starts is waited for.
  let description: ReturnType<typeof describeApi> | null = null
  serve('describeApi', () => {
    description ??= describeApi(publicUrl)
    return { ...description }
  })
  serve('readDocs', ({ response }) => void response.send(DOCS_PAGE))
  app.use('/docs/assets', serveFolder(dirname(require.resolve('swagger-ui-dist/package.json'))))
}

const DOCS_PAGE = page({
  title: 'API',
  body: html`<h1>Errand API</h1>
    <p><a href="/">Start</a> · <a href="/openapi.json">openapi.json</a></p>
    <div id="swagger"></div>
    <noscript>This page needs JavaScript; the same description is at <a href="/openapi.json">/openapi.json</a>.</noscript>`,
  styles: ['/docs/assets/swagger-ui.css', '/static/docs.css'],
  scripts: ['/docs/assets/swagger-ui-bundle.js', '/static/docs.js'],
})
