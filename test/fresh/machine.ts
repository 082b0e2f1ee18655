import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { rmdir } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { execa } from 'execa'
import { waitFor } from '../support/checks/wait.ts'
import { BOUND, CLONE, containersIn, makeRoot, type Origin } from './root.ts'

/** A program that runs in the machine. */
export type Run = Readonly<{
  lines: readonly string[]
  /** Its exit code; null as long as it runs. */
  code: () => number | null
}>

export type Machine = Readonly<{
  run: (command: string) => Run
  /** Command lines of all that runs in it but its first process. */
  running: () => Promise<string[]>
  /** Ends all that runs in it, and removes it. */
  close: () => Promise<void>
}>

const READY_MS = 30_000
const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'
const NAMESPACES = ['--mount', '--pid', '--uts', '--ipc', '--net']

/**
 * A Debian of its own on this kernel: its own files, processes, names and network. Programs in it reach the outside through slirp4netns, so
 * that nothing of this machine's network is changed, and this machine's own ports are out of reach.
 */
export async function openMachine(
  root: string,
  origin: Origin,
  strayClient: string | null,
  variables: Readonly<Record<string, string>>,
  write: (line: string) => void,
): Promise<Machine> {
  const children: ChildProcess[] = []
  const start = (words: readonly string[], extra: readonly 'pipe'[] = []) => {
    const [first, ...bound] = BOUND
    const child = spawn(first, [...bound, ...words], { stdio: ['ignore', 'pipe', 'pipe', ...extra] })
    children.push(child)
    return child
  }
  const close = async () => {
    for (const child of children.reverse()) await kill(child)
    const containers = await containersIn(root)
    await removeControlGroups(containers)
    await execa('rm', ['-rf', '--one-file-system', root])
  }
  try {
    await makeRoot(root, origin, strayClient)
    const init = start(['unshare', ...NAMESPACES, '--fork', '--kill-child', 'bash', join(import.meta.dirname, 'init.sh'), root])
    const words = collect(init, write)
    const pid = await waitFor('the machine', () => /^ready (\d+)$/m.exec(words.join('\n'))?.[1], READY_MS)
    const network = ['slirp4netns', '--configure', '--mtu=65520', '--disable-host-loopback', '--ready-fd=3', pid, 'tap0']
    const slirp = start(network, ['pipe'])
    collect(slirp, () => undefined)
    const ready = slirp.stdio[3]
    if (ready) await once(ready, 'data', { signal: AbortSignal.timeout(READY_MS) })

    const enter = ['nsenter', `--target=${pid}`, ...NAMESPACES, '--wd']
    const environment = Object.entries({ PATH, HOME: '/root', LANG: 'C.UTF-8', ...variables }).map(
      ([name, value]) => `${name}=${value}`,
    )
    const run = (command: string): Run => {
      const child = start([...enter, 'env', '-i', ...environment, 'bash', '-c', `cd ${CLONE} && ${command}`])
      const lines = collect(child, write)
      return { lines, code: () => child.exitCode ?? (child.signalCode ? 1 : null) }
    }
    const running = async () => {
      const script = 'for p in /proc/[0-9]*; do [ $p != /proc/$$ ] && tr "\\0" " " <$p/cmdline && echo; done 2>/dev/null'
      const { stdout } = await execa('nsenter', [...enter.slice(1), 'bash', '-c', script], { reject: false })
      return stdout.split('\n').filter((line) => line.trim() !== '' && !/init\.sh|^(sleep 3600|tr |bash -c for) ?/.test(line))
    }
    return { run, running, close }
  } catch (error) {
    await close()
    throw error
  }
}

function collect(child: ChildProcess, write: (line: string) => void): string[] {
  const lines: string[] = []
  for (const stream of [child.stdout, child.stderr])
    if (stream)
      createInterface({ input: stream }).on('line', (line) => {
        lines.push(line)
        write(line)
      })
  return lines
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'exit')
  child.kill('SIGKILL')
  await ended
}

/** An engine that was killed leaves its containers' empty control groups on the kernel. */
async function removeControlGroups(containers: readonly string[]): Promise<void> {
  for (const id of containers) {
    const { stdout } = await execa('find', ['/sys/fs/cgroup', '-depth', '-type', 'd', '-path', `*/docker/${id}*`], {
      reject: false,
    })
    for (const folder of stdout.split('\n').filter(Boolean)) await rmdir(folder).catch(() => undefined)
  }
}
