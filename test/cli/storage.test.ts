import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { errand } from '../support/systems/command-line.ts'
import { type StaffedCoordinator, startStaffedCoordinator } from '../support/systems/coordinator.ts'
import { addUser } from '../support/systems/people.ts'

let staffed: StaffedCoordinator
let env: Record<string, string>
beforeAll(async () => {
  staffed = await startStaffedCoordinator({ environment: { ERRAND_USER_STORAGE_MB: '1' } })
  env = { ERRAND_URL: staffed.coordinator.url, ERRAND_TOKEN: staffed.coordinator.ownerToken }
})
afterAll(() => staffed.stop())

async function endedTask() {
  const { coordinator } = staffed
  const { id } = await coordinator.send({ repoUrl: coordinator.demoRepoUrl, prompt: 'Tidy up' })
  await coordinator.ask(`/api/tasks/${id}/cancel`, {})
  return id
}
const statusOf = async (id: string) => (await staffed.coordinator.api(`/api/tasks/${id}`)).status

describe('errand delete', () => {
  it('asks a person, and deletes nothing without a yes', async () => {
    const id = await endedTask()
    const no = await errand(['delete', id], { env, typed: '\n' })
    expect([no.exit, no.out]).toEqual([0, 'Nothing was deleted.\n'])
    expect(no.err).toContain('Delete “Tidy up” with its history')
    expect(await statusOf(id)).toBe(200)
    const yes = await errand(['delete', id.slice(0, 12)], { env, typed: 'y\n' })
    expect([yes.exit, yes.out]).toEqual([0, 'Deleted. Its branch on the git host is as it was.\n'])
    expect(await statusOf(id)).toBe(404)
    expect(await errand(['delete', id, '--yes'], { env })).toMatchObject({ exit: 2, err: expect.stringContaining('not found') })
  })

  it('needs --yes in a script, and says so; a task that has not ended is refused in words', async () => {
    const id = await endedTask()
    expect(await errand(['delete', id], { env })).toMatchObject({ exit: 2, out: '', err: expect.stringContaining('add --yes') })
    expect(await statusOf(id)).toBe(200)
    expect((await errand(['delete', id, '--yes'], { env })).exit).toBe(0)
    const { id: waiting } = await staffed.coordinator.send({ repoUrl: staffed.coordinator.demoRepoUrl, prompt: 'Wait' })
    const refused = await errand(['delete', waiting, '--yes'], { env })
    expect(refused).toMatchObject({ exit: 2, err: expect.stringContaining('Cancel it first') })
  })
})

describe('errand storage', () => {
  it('says what takes the space, and who has no room left; to admins alone', async () => {
    const { coordinator, calls, lease } = staffed
    const { id } = await coordinator.send({ repoUrl: coordinator.demoRepoUrl, prompt: 'Work' })
    await calls.keep(await lease(id), 'bundle', new Uint8Array(2 * 1024 * 1024))
    const { exit, out } = await errand(['storage'], { env })
    expect(exit).toBe(0)
    expect(out).toMatch(/^Disk .* free, enough for new work\nDatabase .* free for new rows\nBundles +2048 KB in 1 file\n/)
    expect(out).toMatch(/owner: 20\d\d KB, of which 0 MB are outputs; full: they must delete tasks/)
    expect(out).toContain('Kept: outputs for 30 days, bundles for 180 days, ended tasks for ever.')
    const json = JSON.parse((await errand(['storage', '--json'], { env })).out)
    expect(json).toMatchObject({ kinds: [{ kind: 'bundles', files: 1, bytes: 2 * 1024 * 1024 }], users: [{ full: true }] })
    const bob = { ...env, ERRAND_TOKEN: addUser(coordinator.config.dataDir, 'bob') }
    expect(await errand(['storage'], { env: bob })).toMatchObject({ out: '', err: expect.stringMatching(/admin/i) })
  })
})
