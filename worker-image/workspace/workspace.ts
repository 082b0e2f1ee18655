import { mkdir } from 'node:fs/promises'
import { posix } from 'node:path'
import { type End, endOf, failed } from '../../contract/wire/end.ts'
import { pause } from '../process/waiting.ts'
import { checkoutFault, fault } from './fault.ts'
import { type Git, type GitResult, must } from './git.ts'

/** The task's repository, checked out on the task's branch. */
export type Workspace = {
  /** Name of the branch that the work is based on. */
  baseBranch: string
  /** The base of every comparison: a commit, or the empty tree in a repository without commits. */
  base: string
  branch: string
  /** The branch's commit on the git host; null if it is not there yet. */
  remoteCommit: string | null
  /** Whether the branch was pushed before, so that the work continues from it. */
  resumed: boolean
  /** The branch's commit when the turn began. */
  turnBase: string
}

export type Opened = { ok: true; workspace: Workspace } | { ok: false; end: End }

/** The pauses between calls to an absent git host: a restart of the host must not cost a turn. */
export const RETRY_DELAYS_MS: readonly number[] = [1_000, 3_000, 6_000, 12_000]

/** Branches that earlier turns pushed beside the task's own. */
const MAX_OTHERS = 50

export type OpenOptions = {
  directory: string
  remote: string
  baseBranch: string | null
  branch: string
  /** As the first attempt of the turn saw it; null for that attempt. */
  turnBase: string | null
  signal: AbortSignal
  retryDelaysMs?: readonly number[]
}

/**
 * Fetches the base branch (null: the host's default) with its whole history, and the task's branch if an earlier attempt pushed it,
 * into a new repository at `directory`. The whole history, because the model's `git log` or `blame` has no way to fetch the rest.
 * @returns the workspace, or how the turn ends: each fault of the git host has its own reason
 */
export async function openWorkspace(git: Git, options: OpenOptions): Promise<Opened> {
  try {
    return await cloneInto(git, options)
  } catch (error) {
    // What has no end of its own above happened on the sandbox's disk.
    const { signal } = options
    return { ok: false, end: signal.aborted ? endOf(signal) : checkoutFault({ code: null, stderr: String(error) }) }
  }
}

async function cloneInto(
  git: Git,
  { directory, remote, baseBranch, branch, turnBase, signal, retryDelaysMs = RETRY_DELAYS_MS }: OpenOptions,
): Promise<Opened> {
  const ask = (args: string[]) => askAgain(() => git(args, { signal }), signal, retryDelaysMs)
  await mkdir(directory, { recursive: true })
  const listed = await ask(['ls-remote', '--symref', '--', remote])
  if (listed.code !== 0) return { ok: false, end: signal.aborted ? endOf(signal) : fault(listed) }
  const refs = readRefs(listed.stdout)
  const base = chooseBase(refs, baseBranch)
  if (base === null)
    return { ok: false, end: failed('base_branch_not_found', `The repository has no branch ${baseBranch ?? 'to start from'}.`) }
  const baseTip = refs.branches.get(base) ?? null
  const remoteCommit = refs.branches.get(branch) ?? null
  await must(git, ['init', '--quiet', `--initial-branch=${branch}`])
  await must(git, ['remote', 'add', 'origin', remote])
  const wanted = [...(baseTip ? [base] : []), ...(remoteCommit ? [branch] : [])]
  if (wanted.length > 0) {
    // The task's other branches too: an earlier turn may have pushed work there.
    const others = [...refs.branches.keys()].filter((name) => name !== branch && name.startsWith(`${posix.dirname(branch)}/`))
    const specs = [...wanted, ...others.slice(-MAX_OTHERS)].map((name) => `+refs/heads/${name}:refs/remotes/origin/${name}`)
    const fetched = await ask(['fetch', '--quiet', 'origin', ...specs])
    if (fetched.code !== 0) return { ok: false, end: signal.aborted ? endOf(signal) : fault(fetched) }
    const checkedOut = await git(['checkout', '--quiet', '-B', branch, remoteCommit ?? baseTip ?? 'HEAD'], { signal })
    if (checkedOut.code !== 0) return { ok: false, end: signal.aborted ? endOf(signal) : checkoutFault(checkedOut) }
  }
  const comparison = await comparisonPoint(git, baseTip, remoteCommit)
  const workspace: Workspace = {
    baseBranch: base,
    base: comparison,
    branch,
    remoteCommit,
    resumed: remoteCommit !== null,
    turnBase: (await known(git, turnBase)) ?? remoteCommit ?? comparison,
  }
  return { ok: true, workspace }
}

/** Asks again after each pause while the git host cannot be reached. @returns the last answer */
async function askAgain(
  ask: () => Promise<GitResult>,
  signal: AbortSignal,
  retryDelaysMs: readonly number[],
): Promise<GitResult> {
  for (let tried = 0; ; tried++) {
    const result = await ask()
    const delay = retryDelaysMs[tried]
    if (result.code === 0 || result.cut || signal.aborted || delay === undefined || fault(result).reason !== 'git_unavailable')
      return result
    await pause(delay, signal)
  }
}

type Refs = { head: string | null; branches: ReadonlyMap<string, string> }

/** Reads `git ls-remote --symref`: `ref: refs/heads/main\tHEAD`, then `<commit>\t<ref>` each line. */
function readRefs(output: string): Refs {
  const rows = output.split('\n').map((line) => line.split('\t'))
  const head = rows.find(([value, name]) => name === 'HEAD' && value?.startsWith('ref: refs/heads/'))?.[0]
  const branches = rows.flatMap(([value, name]) =>
    value && name?.startsWith('refs/heads/') ? [[name.slice('refs/heads/'.length), value] as const] : [],
  )
  return { head: head?.slice('ref: refs/heads/'.length) ?? null, branches: new Map(branches) }
}

/** An empty repository has no branch: its first one gets the name that the host proposes, or `main`. */
function chooseBase({ head, branches }: Refs, wanted: string | null): string | null {
  if (wanted !== null) return branches.has(wanted) ? wanted : null
  if (branches.size === 0) return head ?? 'main'
  return [head, 'main', 'master'].find((name) => name !== null && branches.has(name)) ?? null
}

/** @returns the commit if it came with the clone; a branch that was rewritten in the meantime may not have it */
async function known(git: Git, commit: string | null): Promise<string | null> {
  return commit !== null && (await git(['cat-file', '-e', commit])).code === 0 ? commit : null
}

async function comparisonPoint(git: Git, baseTip: string | null, remoteCommit: string | null): Promise<string> {
  if (!baseTip) return must(git, ['hash-object', '-t', 'tree', '-w', '/dev/null'])
  if (!remoteCommit) return baseTip
  const shared = await git(['merge-base', baseTip, remoteCommit])
  return shared.code === 0 ? shared.stdout.trim() : baseTip
}
