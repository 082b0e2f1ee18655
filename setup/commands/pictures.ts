import { resolve } from 'node:path'
import { buildApp } from '../build/app.ts'
import { needBrowser, needTool } from '../machine/tools.ts'
import { nodeCommand, runToEnd } from '../process/processes.ts'
import { readEnvironment } from '../stack/environment.ts'

/** `npm run pictures -- <folder>`: prepares what the scenes need, then takes a picture of each. Needs no engine. @returns the exit code */
export async function main([folder = 'pictures', ...words]: readonly string[]): Promise<number> {
  const { root } = readEnvironment(process.env)
  await needTool(['git'], ['git'])
  await needTool(['redis-server'], ['redis-server'])
  await needBrowser()
  await buildApp(root)
  return runToEnd(nodeCommand('test/app/scenes/pictures.ts', resolve(folder), ...words), process.env, root)
}
