import { randomBytes } from 'node:crypto'
import { execa } from 'execa'

/** The sandbox's own image; tests run other programs in it. */
const BASE = 'errand-worker:latest'

/** @returns why tests with real sandboxes cannot run here, or null */
export const whyNoSandboxes = async (): Promise<string | null> => {
  const { failed, stderr } = await execa('docker', ['image', 'inspect', BASE], { reject: false })
  return failed ? `no ${BASE} on a reachable Docker engine (${String(stderr).slice(0, 100)})` : null
}

/** The sandbox's image with another program as its agent. It is a name and one empty layer. */
export const imageThatRuns = async (program: readonly string[]): Promise<{ name: string; remove: () => Promise<void> }> => {
  const name = `errand-test-${randomBytes(6).toString('hex')}`
  const dockerfile = `FROM ${BASE}\nENTRYPOINT ${JSON.stringify(program)}\n`
  await execa('docker', ['build', '--quiet', '--tag', name, '-'], { input: dockerfile })
  return { name, remove: async () => void (await execa('docker', ['image', 'rm', '--force', name])) }
}
