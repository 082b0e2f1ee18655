import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import type { Overview } from '../../contract/api/overview.ts'
import { waitFor } from '../support/checks/wait.ts'
import { giveAccess, type Outside, startOutside } from '../support/systems/outside.ts'

let outside: Outside
beforeAll(async () => {
  outside = await startOutside({
    // The second has more room and nothing to do, so that everything would come to it.
    runners: [{}, { RUNNER_SLOTS: '4', DOCKER_HOST: 'unix:///nonexistent/docker.sock' }],
    policy: () => ({ content: [{ type: 'text', text: 'Nothing is to be done.' }] }),
  })
})
afterAll(() => outside.stop())

describe('a runner whose engine is dead, beside one that is well', () => {
  it('takes nothing, says why, and interrupts nobody', async () => {
    const { system, git } = outside
    const runner = async (name: string) =>
      (await system.api<Overview>('/api/admin/overview')).body.runners.find((one) => one.name === name && one.connected)
    const sick = () => runner('runner-2')
    await waitFor('both to be there', async () => (await runner('runner-1')) && (await sick())?.unwell, 60_000)
    expect(await sick()).toMatchObject({ slots: 4, busy: 0, unwell: { reason: 'engine_unavailable' } })

    const repository = await git.addRepository('ada/notes', { files: { 'README.md': '# notes\n' } })
    await giveAccess(outside)
    const sent = []
    for (let count = 0; count < 3; count++) sent.push(await system.send({ repoUrl: repository.url, prompt: `Look ${count}` }))
    for (const { id } of sent) expect(await system.ended(id, 90_000)).toMatchObject({ status: 'completed', attempt: 1 })
    expect(await sick()).toMatchObject({ busy: 0, unwell: { message: expect.stringContaining('docker.sock') } })
  })
})
