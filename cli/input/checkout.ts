import { spawnSync } from 'node:child_process'
import { realpathSync } from 'node:fs'
import type { Context } from '../server/context.ts'
import { EXIT, Fault } from '../server/faults.ts'
import { clean } from '../show/layout.ts'

/** The repository and branch that `errand run` takes from the current checkout. */
export type Place = { repoUrl: string; baseBranch: string }

/**
 * The repository and branch of the checkout in the current folder, and a line on standard error that names them.
 * @param base what `--base` says
 * @throws Fault that says which option is needed instead
 */
export function placeOfCheckout(base: string | undefined, { cwd, home, stderr }: Context): Place {
  const root = git(cwd, 'rev-parse', '--show-toplevel')
  // Errand's own folder is where npx works; its repository is rarely the one meant.
  if (root === null || root === ownRoot(home))
    throw new Fault(EXIT.refused, 'Name a repository with --repo, or run errand in a checkout of it.')
  const branch = git(cwd, 'symbolic-ref', '--quiet', '--short', 'HEAD')
  const remote = remoteOf(cwd, branch)
  const address = git(cwd, 'remote', 'get-url', remote)
  if (address === null)
    throw new Fault(EXIT.refused, `The checkout in ${root} has no remote “${remote}”. Name the repository with --repo.`)
  const repoUrl = webAddressOf(address)
  if (repoUrl === null)
    throw new Fault(
      EXIT.refused,
      `The remote “${remote}” is at ${clean(address)}, which a server cannot clone from. Name a URL with --repo.`,
    )
  const baseBranch = base ?? pushedBranch(cwd, remote, branch)
  stderr.write(`Repository ${repoUrl}, branch ${clean(baseBranch)}, as in ${root}.${unpushed(cwd, remote, baseBranch)}\n`)
  return { repoUrl, baseBranch }
}

/**
 * The HTTPS address of a remote in any of git's notations, without a name or password.
 * @returns null if the remote is not on a web host: a path, a bundle
 */
export function webAddressOf(remote: string): string | null {
  const [, scpHost, scpPath] = /^(?:[^@/:\s]+@)?([a-z0-9.-]+):(?!\/\/)\/?(\S+)$/i.exec(remote) ?? []
  if (scpHost !== undefined && scpPath !== undefined) return `https://${scpHost.toLowerCase()}/${scpPath}`
  if (!URL.canParse(remote)) return null
  const { protocol, host, hostname, pathname } = new URL(remote)
  if (protocol === 'https:' || protocol === 'http:') return `${protocol}//${host}${pathname}`
  // The port belongs to SSH, not to the web.
  return protocol === 'ssh:' || protocol === 'git+ssh:' ? `https://${hostname}${pathname}` : null
}

function ownRoot(home: string): string | null {
  try {
    return realpathSync(home)
  } catch {
    return null
  }
}

/** The branch's own remote, else `origin`, else the only one. */
function remoteOf(cwd: string, branch: string | null): string {
  const own = branch === null ? null : git(cwd, 'config', '--get', `branch.${branch}.remote`)
  if (own !== null && own !== '.') return own
  const remotes = git(cwd, 'remote')?.split('\n') ?? []
  return remotes.length === 1 && remotes[0] ? remotes[0] : 'origin'
}

/** @throws Fault if the host does not have the branch: the task would only fail after it started */
function pushedBranch(cwd: string, remote: string, branch: string | null): string {
  if (branch === null)
    throw new Fault(EXIT.refused, 'The checkout is not on a branch. Name the branch to start from with --base.')
  const upstream = git(cwd, 'config', '--get', `branch.${branch}.merge`)?.replace('refs/heads/', '') ?? branch
  if (git(cwd, 'rev-parse', '--verify', '--quiet', `refs/remotes/${remote}/${upstream}`) !== null) return upstream
  throw new Fault(EXIT.refused, `The branch “${branch}” is not on ${remote} yet. Push it, or name another with --base.`)
}

function unpushed(cwd: string, remote: string, branch: string): string {
  const count = Number(git(cwd, 'rev-list', '--count', `refs/remotes/${remote}/${branch}..HEAD`) ?? 0)
  if (count === 0) return ''
  return ` ${count === 1 ? 'One commit here is' : `${count} commits here are`} not pushed, so the agent does not have ${count === 1 ? 'it' : 'them'}.`
}

/** @returns git's output, or null if git failed or is missing. None of the calls above runs a program that the checkout names. */
function git(cwd: string, ...args: string[]): string | null {
  const { status, stdout } = spawnSync('git', args, { cwd, encoding: 'utf8', timeout: GIT_MS })
  return status === 0 ? stdout.trimEnd() : null
}

const GIT_MS = 10_000
