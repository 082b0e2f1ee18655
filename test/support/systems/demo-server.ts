import { createHmac } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { pino } from 'pino'
import { createDemo, type Demo } from '../../../coordinator/demo/demo.ts'
import { temporaryFolder } from './temporary.ts'

export type DemoServer = { demo: Demo; origin: string; dataDir: string; repoUrl: string; stop: () => Promise<void> }

/** The demo parts behind a bare HTTP server, mounted where the coordinator mounts them. */
export async function startDemoServer(): Promise<DemoServer> {
  const folder = await temporaryFolder()
  const deriveKey = (purpose: string) => createHmac('sha256', 'test').update(purpose).digest()
  const demo = await createDemo({ dataDir: folder.path, deriveKey, log: pino({ level: 'silent' }), paceMs: 0 })
  const server = createServer((request, response) => {
    const handle = request.url?.startsWith('/demo/model') ? demo.handleModel : demo.handleGit
    handle(request, response).catch((error: unknown) => response.destroy(error as Error))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    demo,
    origin: `http://127.0.0.1:${port}`,
    dataDir: folder.path,
    repoUrl: `http://${demo.gitUsername}:${demo.gitToken}@127.0.0.1:${port}${demo.repoPath}`,
    stop: async () => {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
      await folder.remove()
    },
  }
}
