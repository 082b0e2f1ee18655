import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { expect, it } from '@jest/globals'

it('The error of a Redis command is logged without the command, which may hold the password of Redis', () => {
  const log = join(import.meta.dirname, '../../../coordinator/process/log.ts')
  const program = `
    const { createLog } = await import(${JSON.stringify(log)})
    const refused = Object.assign(new Error('WRONGPASS'), { command: { name: 'hello', args: ['3', 'AUTH', 'default', 'CANARY'] } })
    createLog({ logLevel: 'debug', prettyLog: false }).error({ event: 'redis.error', err: refused })`
  const { stdout } = spawnSync(process.execPath, ['--import', 'tsx', '--input-type=module', '--eval', program], {
    encoding: 'utf8',
  })
  expect(stdout).toContain('WRONGPASS')
  expect(stdout).not.toContain('CANARY')
})
