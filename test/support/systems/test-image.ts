import { randomBytes } from 'node:crypto'
import { execa } from 'execa'

/** The sandbox's own image, as `npm test` built it from this very tree; tests run other programs in it. */
const BASE = process.env.RUNNER_IMAGE ?? 'errand-worker:latest'

/** The sandbox's image with another program as its agent. It is a name and one empty layer. */
export async function imageThatRuns(program: readonly string[]): Promise<{ name: string; remove: () => Promise<void> }> {
  const name = `errand-test-${randomBytes(6).toString('hex')}`
  const dockerfile = `FROM ${BASE}\nENTRYPOINT ${JSON.stringify(program)}\n`
  await execa('docker', ['build', '--quiet', '--tag', name, '-'], { input: dockerfile })
  return { name, remove: async () => void (await execa('docker', ['image', 'rm', '--force', name])) }
}
