import { once } from 'node:events'
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { execa } from 'execa'
import { pino } from 'pino'
import { DOOR } from '../../../contract/wire/names.ts'
import { LOG_BYTES } from '../../../runner/sandbox/container-spec.ts'
import { createDockerEngine } from '../../../runner/sandbox/docker.ts'
import type { SandboxEnd } from '../../../runner/sandbox/sandbox.ts'
import { imageThatRuns } from '../../support/systems/temporary.ts'

const PROBE = String.raw`
import ctypes, errno, json, os, socket, subprocess
libc = ctypes.CDLL(None, use_errno=True)
def call(number, *args):
    ctypes.set_errno(0)
    result = libc.syscall(ctypes.c_long(number), *[ctypes.c_long(a) for a in args])
    return 'ok' if result >= 0 else errno.errorcode[ctypes.get_errno()]
def family(number):
    try:
        socket.socket(number, socket.SOCK_RAW if number == 16 else socket.SOCK_STREAM).close()
        return 'ok'
    except OSError as e:
        return errno.errorcode[e.errno]
def write(path, size=1):
    try:
        with open(path, 'wb') as f:
            for _ in range(size): f.write(b'x' * 1048576)
        os.remove(path)
        return 'ok'
    except OSError as e:
        if os.path.exists(path): os.remove(path)
        return errno.errorcode[e.errno]
def connect(host, port):
    try:
        socket.create_connection((host, port), 2).close()
        return 'ok'
    except OSError as e:
        return errno.errorcode.get(e.errno, str(e))
def name(host):
    try:
        socket.getaddrinfo(host, 443)
        return 'ok'
    except OSError:
        return 'refused'
def run(command):
    done = subprocess.run(command, shell=True, capture_output=True, text=True, cwd='/workspace')
    return 'ok' if done.returncode == 0 else done.stdout + done.stderr
def forks():
    children = []
    try:
        for _ in range(200): children.append(subprocess.Popen(['sleep', '20']))
        return 'all started'
    except OSError as e:
        return errno.errorcode[e.errno]
    finally:
        for c in children: c.kill()
        for c in children: c.wait()
def allocate(megabytes):
    # The child dies first: the kernel kills what is largest.
    return subprocess.run(['python3', '-c', f'b"x" * ({megabytes} << 20)']).returncode
def memory_limit():
    for path in ('/sys/fs/cgroup/memory.max', '/sys/fs/cgroup/memory/memory.limit_in_bytes'):
        if os.path.exists(path): return int(open(path).read())
status = dict(l.split(':', 1) for l in open('/proc/self/status').read().splitlines())
x86 = os.uname().machine == 'x86_64'
n = lambda on_x86, on_arm: on_x86 if x86 else on_arm
print(json.dumps({
    'status': {k: status[k].strip() for k in ('CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb', 'NoNewPrivs', 'Seccomp', 'Uid', 'Gid')},
    'interfaces': sorted(os.listdir('/sys/class/net')),
    'environment': sorted(name for name, value in os.environ.items() if value),
    'connect': {h: connect(h, 80) for h in ('172.17.0.1', '1.1.1.1', '169.254.169.254')},
    'dns': name('github.com'),
    'calls': {
        'io_uring_setup': call(425, 1, 0), 'unshare': call(n(272, 97), 0x10000000), 'mount': call(n(165, 40), 0, 0, 0, 0, 0),
        'ptrace': call(n(101, 117), 0, 0, 0, 0), 'bpf': call(n(321, 280), 0, 0, 0), 'memfd_secret': call(447, 0),
        'keyctl': call(n(250, 219), 0, 0), 'perf_event_open': call(n(298, 241), 0, 0, 0, 0, 0), 'userfaultfd': call(n(323, 282), 0),
        'setns': call(n(308, 268), 0, 0), 'clone with a user namespace': call(n(56, 220), 0x10000000 | 17, 0, 0, 0, 0),
        'clone3': call(435, 0, 0), 'one that no kernel has': call(1999),
    },
    'families': {'UNIX': family(1), 'INET': family(2), 'INET6': family(10), 'NETLINK': family(16), 'VSOCK': family(40), 'ALG': family(38), 'X25': family(9)},
    'write': {'root': write('/opt/x'), 'etc': write('/etc/x'), 'door': write('/run/errand/x'), 'workspace': write('/workspace/x'),
              'full workspace': write('/workspace/x', 80), 'tmp': write('/tmp/x'), 'home': write('/home/hands/x'), 'agent': write('/home/agent/x')},
    'mounts of the host': [l.split()[1] for l in open('/proc/mounts') if l.split()[2] in ('ext4', 'xfs', 'btrfs') and l.split()[1] not in ('/etc/hosts', '/etc/hostname', '/etc/resolv.conf')],
    'forks': forks(),
    'memory': {'limit': memory_limit(), 'half of it': allocate(256), 'more than all of it': allocate(600)},
    'tools': {
        'node': run('node -e "new (require(\'worker_threads\').Worker)(\'1\', {eval: true}); require(\'child_process\').execSync(\'true\'); require(\'fs\').writeFileSync(\'f\', \'1\')"'),
        'git': run('git init -q r && cd r && git -c user.name=a -c user.email=b commit -q --allow-empty -m x && git gc -q'),
        'gcc': run('printf "int main(){return 0;}" > a.c && gcc a.c -o a && ./a'),
        'npm': run('mkdir -p p && cd p && npm init -y && npm run env'),
        'python': run('python3 -c "import asyncio, multiprocessing as m; p = m.Process(target=print); p.start(); p.join(); asyncio.run(asyncio.sleep(0))"'),
    },
}))
`

/** The probe runs as the hands do. What they print reaches nobody, so the agent prints it for them. */
const HANDS = `
import { spawnSync } from 'node:child_process'
import { renameSync, writeFileSync } from 'node:fs'
const { stdout, stderr } = spawnSync('python3', ['-c', ${JSON.stringify(PROBE)}], { encoding: 'utf8' })
writeFileSync('/tmp/part', stdout || stderr)
renameSync('/tmp/part', '/tmp/findings')
`
const AGENT = `
import os, time
while not os.path.exists('/tmp/findings'): time.sleep(0.05)
print(open('/tmp/findings').read())
`

type Probe = Record<'status' | 'connect' | 'calls' | 'families' | 'write' | 'tools', Record<string, string>> & {
  interfaces: string[]
  environment: string[]
  dns: string
  'mounts of the host': string[]
  forks: string
  memory: Record<string, number>
}

const SETTINGS = { runnerId: 'walls-test', memoryMb: 512, workspaceMb: 64, cpus: 1, pids: 64, runtime: null }

function openEngine(image: string) {
  return createDockerEngine({ dockerHost: '/var/run/docker.sock', log: pino({ level: 'silent' }), image, ...SETTINGS })
}

describe('seen from inside a sandbox', () => {
  let seen: Probe
  let end: SandboxEnd
  let image: Awaited<ReturnType<typeof imageThatRuns>>
  let door: string

  beforeAll(async () => {
    image = await imageThatRuns(['python3', '-c', AGENT], HANDS)
    door = await mkdtemp('/tmp/errand-door-')
    // Open to all, so that only the read-only mount can be what keeps it.
    await chmod(door, 0o777)
    const sandbox = await openEngine(image.name).start({
      taskId: 'walls',
      attempt: 1,
      doorDirectory: door,
      token: 'the-task-token',
    })
    const lines: (string | null)[] = []
    for await (const { text } of sandbox.lines) lines.push(text)
    end = await sandbox.wait()
    await sandbox.remove()
    if (end.exitCode !== 0) throw new Error(`the probe failed: ${end.errorTail}`)
    seen = JSON.parse(lines.join('')) as Probe
  })
  afterAll(async () => {
    await image?.remove()
    if (door) await rm(door, { recursive: true })
  })

  it('there is no capability, no way to a new privilege, a filter, and no root', () => {
    const none = '0000000000000000'
    expect(seen.status).toMatchObject({ CapInh: none, CapPrm: none, CapEff: none, CapBnd: none, CapAmb: none })
    expect(seen.status).toMatchObject({
      NoNewPrivs: '1',
      Seccomp: '2',
      Uid: expect.stringMatching(/^10002/),
      Gid: expect.stringMatching(/^10002/),
    })
  })

  it('there is no network but loopback, no name, and no host', () => {
    expect(seen.interfaces).toEqual(['lo'])
    expect(seen.connect).toEqual({ '172.17.0.1': 'ENETUNREACH', '1.1.1.1': 'ENETUNREACH', '169.254.169.254': 'ENETUNREACH' })
    expect(seen.dns).toBe('refused')
  })

  it('the environment of the hands has nothing of ours, and the task token is empty in it', () => {
    expect(seen.environment).toEqual(expect.arrayContaining(['HOME', 'LANG', 'PATH']))
    expect(seen.environment.filter((name) => /KEY|TOKEN|SECRET|REDIS|RUNNER|ANTHROPIC|DOCKER/i.test(name))).toEqual([])
  })

  it('refused system calls fail with EPERM, unknown ones with ENOSYS', () => {
    const { clone3, 'one that no kernel has': unknown, ...refused } = seen.calls
    expect(new Set(Object.values(refused))).toEqual(new Set(['EPERM']))
    expect({ clone3, unknown }).toEqual({ clone3: 'ENOSYS', unknown: 'ENOSYS' })
  })

  it('sockets are of the four families only', () => {
    expect(seen.families).toEqual({
      UNIX: 'ok',
      INET: 'ok',
      INET6: 'ok',
      NETLINK: 'ok',
      VSOCK: 'EPERM',
      ALG: 'EPERM',
      X25: 'EPERM',
    })
  })

  it('nothing can be written outside workspace, home and tmp, and no more than fits', () => {
    expect(seen.write).toEqual({
      root: 'EROFS',
      etc: 'EROFS',
      door: 'EROFS',
      workspace: 'ok',
      'full workspace': 'ENOSPC',
      tmp: 'ok',
      home: 'ok',
      agent: 'EACCES',
    })
  })

  it('the door is the only folder of the host', () => {
    const ofDocker = ['/', '/usr/sbin/docker-init', '/sbin/docker-init', '/dev/init']
    expect(seen['mounts of the host'].filter((path) => !ofDocker.includes(path))).toEqual([DOOR.directory])
  })

  it('processes are bounded', () => {
    expect(seen.forks).toBe('EAGAIN')
  })

  it('memory is bounded: what takes more is killed, and the sandbox lives on', () => {
    expect(seen.memory).toEqual({ limit: 512 * 1024 * 1024, 'half of it': 0, 'more than all of it': -9 })
    expect(end).toMatchObject({ exitCode: 0, outOfMemory: true })
  })

  it('Node, git, gcc, npm and Python work', () => {
    expect(seen.tools).toEqual({ node: 'ok', git: 'ok', gcc: 'ok', npm: 'ok', python: 'ok' })
  })
})

describe('a sandbox that floods its output', () => {
  it('is heard to its end, and the engine stores no more than its log holds', async () => {
    const line = 'x'.repeat(999)
    const count = Math.ceil((1.2 * LOG_BYTES) / 1000)
    const flood = await imageThatRuns(['python3', '-c', `for _ in range(${count}): print('${line}')`])
    const door = await mkdtemp('/tmp/errand-door-')
    const sandbox = await openEngine(flood.name).start({ taskId: 'flood', attempt: 1, doorDirectory: door, token: 'token' })
    try {
      let lines = 0
      for await (const { text } of sandbox.lines) if (text === line) lines += 1
      expect(lines).toBe(count)
      // Nothing of it could be read a second time, so its end is not believed.
      await expect(sandbox.wait()).rejects.toMatchObject({ message: expect.stringContaining('more than the Docker engine') })
      const stored = await storedBytes('errand-flood-1-walls-te')
      expect(stored).toBeGreaterThan(0)
      expect(stored).toBeLessThanOrEqual(LOG_BYTES)
    } finally {
      await sandbox.remove()
      await flood.remove()
      await rm(door, { recursive: true })
    }
  })
})

/** Counts the bytes of a container's log that the engine still has. */
async function storedBytes(container: string): Promise<number> {
  const logs = execa('docker', ['logs', container], { buffer: false })
  let bytes = 0
  logs.stdout.on('data', (chunk: Buffer) => {
    bytes += chunk.length
  })
  await Promise.all([logs, once(logs.stdout, 'end')])
  return bytes
}
