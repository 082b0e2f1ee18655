import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Server } from './find-server.ts'
import { clean, type Look, paint } from './layout.ts'
import type { View } from './view.ts'

/** What to do with the result: commands to copy. */
export const nextSteps = ({ taskId, created, end }: View, server: Server, look: Look): string[] => {
  const steps: [string, string][] = []
  if (end?.branch) {
    const branch = clean(end.branch)
    const demoRepository = server.dataDir && join(server.dataDir, 'demo', 'hello.git')
    const isDemo = created?.repoUrl.startsWith(`${server.url}/demo/`) === true
    steps.push([`errand diff ${taskId}`, 'the patch'])
    if (!isDemo) steps.push([`git fetch origin ${branch} && git switch ${branch}`, 'in your clone'])
    else if (demoRepository && existsSync(demoRepository))
      steps.push([`git clone -b ${branch} ${demoRepository} hello`, 'to look at it'])
  } else if (end?.reason === 'push_refused') steps.push([`errand bundle ${taskId} > work.bundle`, 'what could not be pushed'])
  if (end && end.status !== 'completed') steps.push([`errand show ${taskId}`, 'the whole story'])
  const width = Math.max(...steps.map(([command]) => command.length))
  return steps.length === 0
    ? ['']
    : ['', ...steps.map(([command, what]) => `  ${paint(look, 'cyan', command.padEnd(width))}  ${paint(look, 'dim', what)}`), '']
}
