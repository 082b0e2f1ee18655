import { readFile } from 'node:fs/promises'
import { networkInterfaces } from 'node:os'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { execa } from 'execa'
import type { TaskEvent } from '../../contract/api/event.ts'
import { DOOR, LABELS } from '../../contract/wire/names.ts'
import { waitFor } from '../support/checks/wait.ts'
import { type PublicHost, startPublicHost } from '../support/outside/public-host.ts'
import { CANARIES, giveAccess, type Outside, startOutside } from '../support/systems/outside.ts'

function backwards(text: string) {
  return [...text].reverse().join('')
}

/** Planted inside the sandbox, in its prompt and its files: a scan that does not find it proves nothing. */
const PLANTED = 'planted-canary-5d20c6e8a1f94b73'

/** Every address of this host, the usual bridge of Docker, and one far away. */
const TARGETS = [
  ...Object.values(networkInterfaces()).flatMap((addresses) => (addresses ?? []).filter(({ family }) => family === 'IPv4')),
]
  .map(({ address }) => address)
  .filter((address) => !address.startsWith('127.'))
  .concat('172.17.0.1', '192.0.2.1')

let outside: Outside
let host: PublicHost
let status: string
let leftovers: string
let inspected = ''
let events: TaskEvent[]
let found: Record<string, unknown>

beforeAll(async () => {
  const probe = await readFile(new URL('./probe.py', import.meta.url), 'utf8')
  host = await startPublicHost()
  const secrets = [PLANTED, ...Object.values(CANARIES)].map(backwards).join(',')
  const targets = [...TARGETS, host.address].join(',')
  const command = `sleep 2; cat > probe.py <<'PROBE'\n${probe}\nPROBE\npython3 probe.py ${secrets} ${targets} ${host.address}; env; rm probe.py`
  outside = await startOutside({
    runners: [{ RUNNER_ALLOWED_HOSTS: host.address }],
    policy: ({ results }) =>
      results.length === 0
        ? { content: [{ type: 'tool_use', name: 'bash', input: { command } }] }
        : { content: [{ type: 'text', text: 'I looked around and changed nothing.' }] },
  })
  const { system, git } = outside
  const repository = await git.addRepository('ada/hostile', { files: { 'README.md': '# hostile\n' } })
  await giveAccess(outside)
  const task = await system.send({ repoUrl: repository.url, prompt: `Look around, change nothing. ${PLANTED}` })
  inspected = await waitFor('the container', async () => {
    const { stdout } = await execa('docker', ['ps', '-q', '--filter', `label=${LABELS.task}=${task.id}`])
    return stdout && (await execa('docker', ['inspect', stdout])).stdout
  })
  status = (await system.ended(task.id, 90_000)).status
  leftovers = (await execa('docker', ['ps', '--all', '--quiet', '--filter', `label=${LABELS.task}=${task.id}`])).stdout
  events = await system.events(task.id)
  const output = events.flatMap((event) => (event.type === 'tool.ended' ? [event.data.output] : []))[0] ?? ''
  const [printed] = /^\{.*\}$/m.exec(output) ?? []
  if (!printed) throw new Error(`the probe printed no findings: ${output}`)
  found = JSON.parse(printed)
})
afterAll(async () => {
  await outside?.stop()
  await host?.stop()
})

describe('inside a sandbox', () => {
  it('there is no network: no interface but loopback, no route, no host, no name', () => {
    expect(found).toMatchObject({ interfaces: ['lo'], routes: 0 })
    expect(found.name).not.toBe('done')
    expect(new Set(Object.values(found.connections as object))).toEqual(new Set(['ENETUNREACH']))
  })

  it('an allowed host is reached through the door, and another is refused and told to the user', () => {
    expect(found).toMatchObject({ 'allowed host': 'is anybody there?', 'other host': 'HTTP/1.1 403 Forbidden' })
    const blocked = events.flatMap((event) => (event.type === 'host.blocked' ? [event.data.host] : []))
    expect(blocked).toEqual(['198.51.100.7'])
  })

  it('commands run as an ordinary user without a capability, and can gain none', () => {
    const none = '0000000000000000'
    expect(found).toMatchObject({
      user: '10002:10002',
      capabilities: [none, none, none, none, none],
      noNewPrivileges: '1',
      seccomp: '2',
    })
  })

  it('the system calls that lead out are refused', () => {
    expect(new Set(Object.values(found.calls as object))).toEqual(new Set(['EPERM']))
  })

  it('the agent can be neither read nor signalled, and its output is its own', () => {
    // Its shell, its own process, and what the engine put before them.
    expect(found.others).toBeGreaterThanOrEqual(2)
    expect(found['against them']).toEqual({
      environment: ['EACCES'],
      memory: ['EACCES'],
      output: ['EACCES'],
      files: ['EACCES'],
      signal: ['EPERM'],
      pause: ['EPERM'],
      everybody: ['EPERM'],
    })
  })

  it('nobody speaks for the agent: no artifact, no message, no model, no second pair of hands', () => {
    const refused = 'HTTP/1.1 401 Unauthorized'
    const unknown = 'HTTP/1.1 404 Not Found'
    const paths = ['/artifacts/patch', '/artifacts/transcript', '/messages', '/task', '/llm/v1/models']
    expect(found['as the agent']).toEqual({
      ...Object.fromEntries(
        paths.flatMap((path) => [
          [`agent ${path}`, refused],
          [`hands ${path}`, unknown],
        ]),
      ),
      "the agent's socket": process.getuid?.() === 0 ? 'EACCES' : 'done',
      'a second pair of hands': '',
      "the agent's folder": 'EACCES',
      "the agent's conversation": 'EACCES',
    })
  })

  it('nothing but the workspace can be written, and no engine is in reach', () => {
    expect(found).toMatchObject({ 'root is written': 'EROFS', 'door is written': 'EROFS', 'docker socket': false })
  })

  it('the scan for secrets finds a planted one in every kind of place', () => {
    expect(found.secrets).toMatchObject({ planted: 6, missed: [] })
    expect(JSON.stringify(events)).toContain(PLANTED)
    expect(inspected).toContain(`${DOOR.tokenVariable}=`)
  })

  it('no secret is in any file, environment or command line, nor in what Docker knows of the container', () => {
    const { files, found: places } = found.secrets as { files: number; found: string[] }
    expect(places).toEqual([])
    expect(files).toBeGreaterThan(300)
    expect(found['token in environment']).toBe(false)
    for (const canary of Object.values(CANARIES)) {
      expect(inspected).not.toContain(canary)
      expect(JSON.stringify(events)).not.toContain(canary)
    }
  })

  it('the container is built as promised', () => {
    const [container] = JSON.parse(inspected)
    expect(container.HostConfig).toMatchObject({
      NetworkMode: 'none',
      Privileged: false,
      ReadonlyRootfs: true,
      CapDrop: ['ALL'],
      PidsLimit: expect.any(Number),
      Memory: expect.any(Number),
    })
    expect(container.Mounts.map(({ Destination, RW }: { Destination: string; RW: boolean }) => ({ Destination, RW }))).toEqual([
      { Destination: '/run/errand', RW: false },
    ])
  })

  it('nothing of the container is left when the task has completed', () => {
    expect({ status, leftovers }).toEqual({ status: 'completed', leftovers: '' })
  })
})
