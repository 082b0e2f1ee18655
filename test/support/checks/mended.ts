import { join } from 'node:path'
import { expect } from '@jest/globals'
import { execa } from 'execa'
import { temporaryFolder } from '../systems/temporary.ts'

/** Fails unless the branch, cloned fresh from the demo repository, passes the repository's own tests. */
export async function expectMended(dataDir: string, branch: string): Promise<void> {
  const folder = await temporaryFolder()
  try {
    const clone = join(folder.path, 'clone')
    await execa('git', ['clone', '--quiet', '--branch', branch, join(dataDir, 'demo', 'hello.git'), clone])
    const { NODE_OPTIONS: _, ...environment } = process.env
    const { exitCode, stdout } = await execa('npm', ['test'], { cwd: clone, env: environment, extendEnv: false, reject: false })
    expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: expect.stringContaining('fail 0') })
  } finally {
    await folder.remove()
  }
}
