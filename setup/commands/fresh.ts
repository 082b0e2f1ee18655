import { needTool } from '../machine/tools.ts'
import { nodeCommand, runToEnd } from '../process/processes.ts'
import { readEnvironment } from '../stack/environment.ts'

/** `npm run fresh`: tries the last commit on a machine that has Node, npm and git and nothing else. @returns the exit code */
export async function main(words: readonly string[]): Promise<number> {
  if (process.platform !== 'linux' || process.getuid?.() !== 0)
    throw new Error('A fresh machine is made of namespaces and mounts, which takes Linux and root.')
  await needTool(['git'], ['git'])
  await needTool(['mmdebstrap'], ['mmdebstrap'])
  await needTool(['slirp4netns'], ['slirp4netns'])
  return runToEnd(nodeCommand('test/fresh/fresh.ts', ...words), process.env, readEnvironment(process.env).root)
}
