import { needTool } from '../machine/tools.ts'
import { nodeCommand, runToEnd } from '../process/processes.ts'
import { readEnvironment } from '../stack/environment.ts'

/** `npm run fresh`: tries the last commit on a machine with only Node, npm and git. @returns the exit code */
export async function main(words: readonly string[]): Promise<number> {
  if (process.platform !== 'linux' || process.getuid?.() !== 0)
    throw new Error('npm run fresh needs Linux and root, because it uses namespaces and mounts.')
  await needTool(['git'], ['git'])
  await needTool(['mmdebstrap'], ['mmdebstrap'])
  await needTool(['slirp4netns'], ['slirp4netns'])
  return runToEnd(nodeCommand('test/fresh/fresh.ts', ...words), process.env, readEnvironment(process.env).root)
}
