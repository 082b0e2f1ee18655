import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Server } from '../server/find-server.ts'
import { clean, type Look, paint } from './layout.ts'
import type { View } from './view.ts'

/** What to do with the result: commands to copy. */
export function nextSteps({ taskId, created, end }: View, server: Server, look: Look): string[] {
  const steps: [string, string][] = []
  if (end?.branch) {
    steps.push(['patch', `errand diff ${taskId}`])
    steps.push(...checkout(clean(end.branch), created?.repoUrl ?? '', server))
  }
  if (end?.reason === 'push_refused') steps.push(['bundle', `errand bundle ${taskId} > work.bundle`])
  return steps.length === 0
    ? ['']
    : ['', ...steps.map(([what, command]) => `  ${paint(look, 'dim', what.padEnd(8))} ${paint(look, 'cyan', command)}`), '']
}

/** The demo repository wants credentials over HTTP; who sits beside it can take it from the data folder. */
function checkout(branch: string, repoUrl: string, { url, dataDir }: Server): [string, string][] {
  if (!repoUrl.startsWith(`${url}/demo/`)) return [['checkout', `git fetch origin ${branch} && git switch ${branch}`]]
  const repository = dataDir && join(dataDir, 'demo', 'hello.git')
  return repository && existsSync(repository) ? [['checkout', `git clone -b ${branch} ${repository} hello`]] : []
}
