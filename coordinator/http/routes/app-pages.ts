import { access } from 'node:fs/promises'
import { join, sep } from 'node:path'
import type { Express, RequestHandler, Response } from 'express'
import serveCompressed from 'express-static-gzip'
import { Refusal } from '../../process/errors.ts'
import type { Serve } from '../serve-endpoint.ts'

/**
 * The files of the app, compressed when it was built if the browser takes that. A file that Vite names by its content never changes; browsers
 * revalidate every other one.
 */
export function serveAppFiles(folder: string): RequestHandler {
  return serveCompressed(folder, {
    index: false,
    enableBrotli: true,
    serveStatic: {
      setHeaders: (response, path) => {
        const isNamedByContent = path.startsWith(join(folder, 'assets') + sep)
        response.setHeader('Cache-Control', isNamedByContent ? 'public, max-age=31536000, immutable' : REVALIDATE)
      },
    },
  })
}

/** Mount it last: if a browser opens an address that nothing else answers, it gets a screen of the app. */
export function addAppPages(app: Express, serve: Serve, folder: string): void {
  serve('openApp', ({ response }) => sendIndex(folder, response))
  app.use(async (request, response, next) => {
    const isPage = ['GET', 'HEAD'].includes(request.method) && !OURS.test(request.path) && opensPage(request.get('accept'))
    if (isPage) await sendIndex(folder, response)
    else next()
  })
}

const REVALIDATE = 'no-cache'

/** Below these paths a missing page is a fault, not a screen of the app. */
const OURS = /^\/(api|auth|runner|demo|static|docs|admin\/queues|assets|socket\.io)(\/|$)/

/** A browser asks for HTML when a person opens an address. For the parts of a page it asks for another type, or any. */
function opensPage(accept = ''): boolean {
  return /\btext\/html\b/.test(accept)
}

async function sendIndex(folder: string, response: Response): Promise<void> {
  try {
    await access(join(folder, 'index.html'))
  } catch (cause) {
    throw new Refusal('unavailable', 'The app is not built on this server. `npm start` builds it.', undefined, { cause })
  }
  response.set('Cache-Control', REVALIDATE)
  // With a root, only paths below it must not be hidden; the checkout itself may be in a hidden folder.
  response.sendFile('index.html', { root: folder, cacheControl: false })
}
