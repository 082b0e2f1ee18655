import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { execa } from 'execa'
import type { Task } from '../../contract/api/api.ts'
import { expectWhole } from '../support/checks/event-list.ts'
import { waitFor } from '../support/checks/wait.ts'
import type { Policy } from '../support/outside/model-server.ts'
import { giveAccess, type Outside, startOutside } from '../support/systems/outside.ts'

/** Writes a file, and then does what the prompt asks for. */
const policy: Policy = ({ results, body }) => {
  const prompt = JSON.stringify(body.messages[0])
  if (prompt.includes('KEY IS WRONG')) return { status: 401, type: 'authentication_error', message: 'invalid x-api-key' }
  if (results.length === 0) return { content: [{ type: 'tool_use', name: 'bash', input: { command: 'echo work > WORK.md' } }] }
  if (prompt.includes('WAIT')) return { content: [{ type: 'tool_use', name: 'bash', input: { command: 'sleep 300' } }] }
  return { content: [{ type: 'text', text: 'Write WORK.md\n\nWritten, and looked at.' }] }
}

const WORKSPACE_MB = 48

let outside: Outside
let repoUrl: string
let bare: string
beforeAll(async () => {
  outside = await startOutside({ policy, runners: [{ RUNNER_WORKSPACE_MB: String(WORKSPACE_MB) }] })
  const repository = await outside.git.addRepository('ada/work', { files: { 'README.md': '# work\n' } })
  repoUrl = repository.url
  bare = repository.path
  await giveAccess(outside)
})
afterAll(() => outside.stop())

function send(more: { repoUrl?: string; prompt?: string; baseBranch?: string } = {}) {
  return outside.system.send({ repoUrl, prompt: 'Write a file', ...more })
}

async function ended(task: Task): Promise<Task> {
  const now = await outside.system.ended(task.id)
  expectWhole(await outside.system.events(task.id))
  return now
}

async function files(branch: string): Promise<string> {
  return (await execa('git', ['ls-tree', '--name-only', branch], { cwd: bare })).stdout
}

describe('what the git host says no to', () => {
  it('is told when the repository is not there', async () => {
    const task = await ended(await send({ repoUrl: repoUrl.replace('work', 'nowhere') }))
    expect(task).toMatchObject({ status: 'failed', reason: 'repository_not_found' })
    expect(task.error).toContain('Check the address')
  })

  it('is told when the base branch does not exist', async () => {
    const task = await ended(await send({ baseBranch: 'no-such-branch' }))
    expect(task).toMatchObject({ status: 'failed', reason: 'base_branch_not_found' })
    expect(task.error).toMatch(/base branch/i)
  })

  it('is told when it refuses the credentials', async () => {
    await giveAccess(outside, { password: 'wrong' })
    const task = await ended(await send())
    await giveAccess(outside)
    expect(task).toMatchObject({ status: 'failed', reason: 'credentials_refused' })
    expect(task.error).toContain('Git access')
  })

  it('loses no work when it refuses the push: a bundle is kept, and holds what was done', async () => {
    await outside.git.refusePush(true)
    const task = await ended(await send())
    await outside.git.refusePush(false)
    expect(task).toMatchObject({ status: 'failed', reason: 'push_refused' })
    expect(task.error).toContain('errand bundle')

    const { url, token } = outside.system
    const answer = await fetch(`${url}/api/tasks/${task.id}/bundle`, { headers: { authorization: `Bearer ${token}` } })
    expect(answer.status).toBe(200)
    const bundle = Buffer.from(await answer.arrayBuffer())
    await execa('sh', ['-c', 'cat > rescued.bundle && git fetch --quiet ./rescued.bundle "+refs/heads/*:refs/rescued/*"'], {
      cwd: bare,
      input: bundle,
    })
    expect(await files(`refs/rescued/${task.branch}`)).toContain('WORK.md')
  })
})

describe('a repository that fits into the sandbox packed, and not checked out', () => {
  it('is told, with the setting that gives it more space', async () => {
    const large = randomBytes(WORKSPACE_MB * 640 * 1024).toString('base64')
    const { url } = await outside.git.addRepository('ada/large', { files: { 'large.txt': large } })
    const task = await ended(await send({ repoUrl: url }))
    expect(task).toMatchObject({ status: 'failed', reason: 'out_of_disk' })
    expect(task.error).toContain('RUNNER_WORKSPACE_MB')
  })
})

describe('a wrong model key', () => {
  it('is told, and not the fault of the task', async () => {
    const task = await ended(await send({ prompt: 'KEY IS WRONG' }))
    expect(task).toMatchObject({ status: 'failed', reason: 'model_key_refused' })
    expect(task.error).toContain('ANTHROPIC_API_KEY')
  })
})

describe('a cancel', () => {
  it('in the middle of a command ends the task within seconds, and what was done is on the branch', async () => {
    const { system } = outside
    const task = await send({ prompt: 'WAIT' })
    await waitFor(
      'the long command',
      async () =>
        (await system.events(task.id)).some(
          (event) => event.type === 'tool.started' && JSON.stringify(event.data.input).includes('sleep 300'),
        ),
      60_000,
      100,
    )
    const asked = performance.now()
    expect((await system.api(`/api/tasks/${task.id}/cancel`, { method: 'POST' })).status).toBe(202)
    const now = await ended(task)
    expect(performance.now() - asked).toBeLessThan(15_000)
    expect(now).toMatchObject({ status: 'cancelled', reason: 'cancelled_by_user', error: null })
    expect(await files(now.branch)).toContain('WORK.md')
    expect((await system.api(`/api/tasks/${task.id}/cancel`, { method: 'POST' })).status).toBe(409)
  })
})
