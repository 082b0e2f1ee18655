import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Logger } from 'pino'
import { patchHead } from '../../contract/wire/patch.ts'
import type { Repository } from '../gateway/git/git-host.ts'
import { type Comparison, compare } from './compare.ts'
import { createHostGit, type HostGit, mustGit } from './git.ts'
import { openRelay } from './relay.ts'

/** What was pushed, as the gateway saw it. */
export type Pushed = {
  commit: string
  /** The branch's commit when the turn began; null: the branch was not there. */
  turnBase: string | null
}

export type PatchRequest = Pushed & {
  repository: Repository
  /** Null: the host's default branch. */
  baseBranch: string | null
}

export type Patches = {
  /** What the branch changes, without what it took over from the base branch. */
  task: Comparison
  /** What the turn changed: after a merge of the base branch, how the turn resolved it, and its own changes. */
  turn: Comparison
}

/** What a runner reads from a git host itself, with the credentials of the task. Everything throws Error when the host does not answer in time. */
export type HostReader = {
  /** Makes the patches of a turn. @throws Error also when the host does not have the commit */
  makePatches: (request: PatchRequest, signal: AbortSignal) => Promise<Patches>
  /** @returns the commit of a branch; null when there is no such branch */
  commitOf: (repository: Repository, branch: string, signal: AbortSignal) => Promise<string | null>
}

type Parts = {
  /** For a repository each, which is thrown away afterwards. */
  directory: string
  /** Where git is, as in `PATH`. */
  path: string
  log: Logger
}

/** Removes what a killed process left in the folder. */
export async function openHostReader(parts: Parts): Promise<HostReader> {
  await rm(parts.directory, { recursive: true, force: true })
  await mkdir(parts.directory, { recursive: true, mode: 0o700 })
  return {
    makePatches: (request, signal) => read(parts, request.repository, signal, (git) => compareIn(git, request)),
    commitOf: (repository, branch, signal) => read(parts, repository, signal, (git) => commitIn(git, branch)),
  }
}

/** Lets `look` read from the repository with git. */
async function read<T>(
  { directory, path, log }: Parts,
  repository: Repository,
  signal: AbortSignal,
  look: (git: HostGit) => Promise<T>,
): Promise<T> {
  const folder = await mkdtemp(join(directory, 'repository-'))
  const relay = await openRelay(repository, log)
  try {
    return await look(createHostGit({ directory: folder, path, remote: relay, signal }))
  } finally {
    await relay.close()
    await rm(folder, { recursive: true, force: true })
  }
}

async function commitIn(git: HostGit, branch: string): Promise<string | null> {
  await mustGit(git, ['init', '--quiet', '--bare', '--template=', '--initial-branch=none'])
  const listed = await mustGit(git, ['ls-remote', '--', 'origin', `refs/heads/${branch}`])
  return listed.split('\t')[0] || null
}

async function compareIn(git: HostGit, { commit, turnBase, baseBranch }: PatchRequest): Promise<Patches> {
  const format = commit.length === 64 ? 'sha256' : 'sha1'
  // HEAD names a branch that never exists: git must not take attributes from a tree.
  await mustGit(git, ['init', '--quiet', '--bare', '--template=', '--initial-branch=none', `--object-format=${format}`])
  const upstream = await fetchBase(git, baseBranch)
  await fetchTo(git, commit)
  const nothing = await mustGit(git, ['hash-object', '-t', 'tree', '-w', '/dev/null'])
  const base = upstream === null ? null : await mergeBase(git, upstream, commit)
  const head = patchHead({ base: base ?? nothing, commit })
  const task = await compare(git, base ?? nothing, commit, head)
  const from = turnBase === null ? null : await beginningOfTurn(git, { upstream, base, turnBase })
  if (from === null) return { task, turn: task }
  return { task, turn: await compare(git, from.tree, commit, patchHead({ base: from.name, commit })) }
}

const BASE_REF = 'refs/errand/base'
const FETCH = ['fetch', '--quiet', '--filter=blob:none', '--no-tags', '--no-write-fetch-head', '--no-auto-maintenance'] as const

/** @returns the base branch's commit on the host; null for a repository that has no such branch */
async function fetchBase(git: HostGit, baseBranch: string | null): Promise<string | null> {
  const wanted = baseBranch === null ? ['HEAD', 'refs/heads/main', 'refs/heads/master'] : [`refs/heads/${baseBranch}`]
  const listed = await mustGit(git, ['ls-remote', '--', 'origin', ...wanted])
  const names = listed.split('\n').map((row) => row.split('\t')[1])
  const ref = wanted.find((name) => names.includes(name))
  if (ref === undefined) return null
  await mustGit(git, [...FETCH, '--', 'origin', `+${ref}:${BASE_REF}`])
  return mustGit(git, ['rev-parse', BASE_REF])
}

async function fetchTo(git: HostGit, commit: string): Promise<void> {
  await mustGit(git, [...FETCH, '--', 'origin', commit])
}

async function mergeBase(git: HostGit, one: string, other: string): Promise<string | null> {
  const { code, stdout, stderr } = await git(['merge-base', one, other])
  if (code === 0) return stdout.toString('utf8').trim()
  // 1: they have no commit in common.
  if (code === 1) return null
  throw new Error(`git merge-base failed (${code}): ${stderr.trim().slice(-1000)}`)
}

type Beginning = { tree: string; name: string }

/**
 * What the turn's commit is compared with. If the turn brought the branch onto a newer commit of the base branch, that is the automatic merge
 * of the two: the difference is how the turn resolved it, not what others did on the base branch.
 * @returns null when the host no longer has the branch as it was
 */
async function beginningOfTurn(
  git: HostGit,
  { upstream, base, turnBase }: { upstream: string | null; base: string | null; turnBase: string },
): Promise<Beginning | null> {
  if ((await git(['cat-file', '-e', `${turnBase}^{commit}`])).code !== 0) return null
  const before = upstream === null ? null : await mergeBase(git, upstream, turnBase)
  if (base === null || before === null || before === base) return { tree: turnBase, name: turnBase }
  // 1: with conflicts, which are in the tree with their markers.
  const { code, stdout } = await git(['merge-tree', '--write-tree', turnBase, base])
  const [tree] = stdout.toString('utf8').split('\n')
  // An older git cannot merge without a work tree.
  if ((code !== 0 && code !== 1) || !tree) return { tree: base, name: base }
  return { tree, name: `${tree} (the automatic merge of ${turnBase} and ${base})` }
}
