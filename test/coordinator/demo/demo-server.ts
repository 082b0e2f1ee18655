import { createHmac } from 'node:crypto'
import { createServer } from 'node:http'
import { pino } from 'pino'
import { createDemo, type Demo } from '../../../coordinator/demo/demo.ts'
import { listen, temporaryFolder } from '../../support/systems/temporary.ts'

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
  const { port, url, close } = await listen(server)
  return {
    demo,
    origin: url,
    dataDir: folder.path,
    repoUrl: `http://${demo.gitUsername}:${demo.gitToken}@127.0.0.1:${port}${demo.repoPath}`,
    stop: async () => {
      await close()
      await folder.remove()
    },
  }
}
