import { resolve } from 'node:path'
import { buildApp } from './app.ts'
import { readEnvironment } from './environment.ts'
import { nodeCommand, runToEnd } from './processes.ts'
import { needTool } from './tools.ts'

/** `npm run pictures -- <folder>`: makes ready what the scenes need, then takes a picture of each. No engine is needed. @returns the exit code */
export async function main([folder = 'pictures', ...words]: readonly string[]): Promise<number> {
  const { root } = readEnvironment(process.env)
  await needTool(['git'], ['git'])
  await needTool(['redis-server'], ['redis-server'])
  await needTool(['chromium', 'chromium-browser', 'google-chrome'], ['chromium'])
  await buildApp(root)
  return runToEnd(nodeCommand('test/app/scenes/pictures.ts', resolve(folder), ...words), process.env, root)
}
