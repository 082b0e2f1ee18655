import { copyFile, mkdir, readdir, readFile, realpath, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { execa } from 'execa'

/** The file systems that fresh machines start from. */

export type Origin = Readonly<{
  /** The repository whose last commit is tried. */
  repository: string
  /** Debian, as a tar. */
  debian: string
  /** Node and npm, below /usr/local in the machine. */
  node: string
  /** Certificates that this machine trusts beside the usual ones, for registries behind an authority of one's own. */
  certificates: string | null
}>

/** Where the machine has what the caller trusts. */
export const CERTIFICATES = '/etc/ssl/caller.pem'
export const CLONE = '/root/errand'

/** What is started dies with this process, even when it is killed. */
export const BOUND = ['setpriv', '--pdeathsig', 'KILL'] as const

/** A Debian with nothing but git and certificates. Its mounts are in a namespace of its own, so a cut leaves none. */
export async function makeDebian(folder: string, mirror: string | null, interrupted: AbortSignal): Promise<string> {
  const tar = join(folder, 'debian.tar')
  const apart = ['--mount', '--pid', '--fork', '--kill-child']
  const words = ['--quiet', '--variant=minbase', '--include=ca-certificates,git', 'bookworm', tar]
  const [first, ...bound] = BOUND
  await execa(first, [...bound, 'unshare', ...apart, 'mmdebstrap', ...words, ...(mirror ? [mirror] : [])], {
    // Where it works, too.
    env: { TMPDIR: folder },
    timeout: 20 * 60_000,
    cancelSignal: interrupted,
    // The first process of a namespace heeds nothing else.
    killSignal: 'SIGKILL',
  })
  return tar
}

/** npm publishes the official Node binaries. @param version a major one, or a whole one */
export async function makeNode(folder: string, version: string): Promise<string> {
  const place = join(folder, 'node')
  const modules = join(place, 'lib', 'node_modules')
  await unpack(folder, `node-linux-${process.arch}@${version}`, place)
  await unpack(folder, `npm@${Number.parseInt(version, 10) >= 24 ? 11 : 10}`, join(modules, 'npm'))
  for (const [name, file] of [
    ['npm', 'npm-cli.js'],
    ['npx', 'npx-cli.js'],
  ] as const)
    await execa('ln', ['-sf', `../lib/node_modules/npm/bin/${file}`, join(place, 'bin', name)])
  return place
}

async function unpack(folder: string, name: string, into: string): Promise<void> {
  const { stdout } = await execa('npm', ['pack', '--silent', name], { cwd: folder })
  await mkdir(into, { recursive: true })
  await execa('tar', ['-xzf', join(folder, stdout.trim().split('\n').at(-1) ?? ''), '-C', into, '--strip-components=1'])
}

/** @param strayClient a docker command to put in, without an engine */
export async function makeRoot(root: string, origin: Origin, strayClient: string | null): Promise<void> {
  await mkdir(root)
  await execa('tar', ['-xf', origin.debian, '-C', root, '--exclude=./dev/*'])
  for (const name of await readdir(origin.node))
    if (['bin', 'include', 'lib'].includes(name)) await execa('cp', ['-a', join(origin.node, name), join(root, 'usr/local')])
  if (origin.certificates) await copyFile(origin.certificates, join(root, CERTIFICATES))
  if (strayClient) await execa('install', [await realpath(strayClient), join(root, 'usr/local/bin/docker')])
  await writeFile(join(root, 'etc/hosts'), '127.0.0.1 localhost\n127.0.1.1 fresh\n')
  // The user-space network's own.
  await writeFile(join(root, 'etc/resolv.conf'), 'nameserver 10.0.2.3\n')
  await execa('git', ['clone', '--quiet', '--no-hardlinks', origin.repository, join(root, CLONE)])
}

/** Ids of the containers that an engine in the machine made. */
export function containersIn(root: string): Promise<string[]> {
  return readdir(join(root, 'var/lib/docker/containers')).catch(() => [])
}

/** What of the caller's configuration leads to its registries. */
export async function networkVariables(certificates: string | null): Promise<Record<string, string>> {
  const { stdout: registry } = await execa('npm', ['config', 'get', 'registry'])
  const proxies = ['http_proxy', 'https_proxy', 'no_proxy', 'HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY']
  return {
    npm_config_registry: registry.trim(),
    ...(certificates ? { NODE_EXTRA_CA_CERTS: CERTIFICATES, npm_config_cafile: CERTIFICATES } : {}),
    ...Object.fromEntries(proxies.flatMap((name) => (process.env[name] ? [[name, process.env[name]]] : []))),
  }
}

/** @returns the file of certificates that Node or npm is told of here */
export async function findCertificates(): Promise<string | null> {
  const { stdout } = await execa('npm', ['config', 'get', 'cafile'])
  const file = process.env.NODE_EXTRA_CA_CERTS || (stdout.trim() === 'null' ? '' : stdout.trim())
  if (file) await readFile(file)
  return file || null
}
