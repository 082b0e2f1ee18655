import { copyFile, mkdir, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { headCommit, withPaths } from '../workspace/changes.ts'
import { type Git, must } from '../workspace/git.ts'
import { newFiles, statOf } from '../workspace/look/changed-files.ts'
import { installedFolder } from '../workspace/look/file-names.ts'
import { isSecretFile } from '../workspace/look/secrets.ts'
import type { Workspace } from '../workspace/workspace.ts'
import { CHECKPOINT_REF, type CheckpointState } from './state.ts'

/** A new file that is larger than this is left out. */
const FILE_BYTES = 5 * 1024 * 1024
/** Of a repository with more branches, only so many are kept, and so many names of what is left out. */
const MOST_BRANCHES = 50
const MOST_NAMES = 20

export type MakeOptions = {
  /** The work tree. */
  directory: string
  /** A folder of our own, for a repository that is thrown away before the next checkpoint. */
  scratch: string
  /** The bundle to write. */
  file: string
  workspace: Pick<Workspace, 'turnBase' | 'remoteCommit' | 'base'>
  /** `key` of the checkpoint that is stored; null: none is. */
  unless: string | null
}

/** `key`: equal keys stand for equal states. `bytes`: of the bundle. */
export type Made = { key: string; commit: string; bytes: number }

/**
 * Writes a bundle of the work tree and of HEAD and all branches as they are now, on top of what the git host has. The user's own
 * repository is only read: index, objects and reference are those of a repository beside it, which knows none of the user's hooks and
 * filters. Left out is what git ignores, and what never leaves the sandbox either: installed packages, files of keys, large new files,
 * and repositories within the repository.
 * @returns null when nothing has changed since the stored checkpoint, or since the turn began if there is none
 * @throws Error when git cannot; a command may have removed the repository
 */
export async function makeCheckpoint(git: Git, options: MakeOptions): Promise<Made | null> {
  const { directory, scratch, file, workspace, unless } = options
  const own = join(scratch, 'checkpoint.git')
  const beside: Git = (args, given) => git([`--git-dir=${own}`, `--work-tree=${directory}`, ...args], given)
  try {
    // A git that was killed leaves its lock.
    await rm(`${file}.lock`, { force: true })
    await openBeside(git, own)
    const leftOut = await leftOutOf(git, directory)
    const specs = ['.', ...leftOut.map((path) => `:(exclude,top,literal)${path}`)]
    const added = await withPaths(beside, ['add', '--all', '--ignore-errors'], specs)
    // 1: git added all but some.
    if (added.code !== 0 && added.code !== 1) throw new Error(`git add failed: ${added.stderr.slice(-500)}`)
    const tree = await must(beside, ['write-tree'])
    const state = await stateOf(git, workspace, leftOut)
    if (unless === null && (await isUntouched(git, tree, state, workspace))) return null
    const key = JSON.stringify([tree, state])
    if (key === unless) return null
    const parents = [...new Set([state.head, ...Object.values(state.branches)])].flatMap((commit) =>
      commit ? ['-p', commit] : [],
    )
    const commit = await must(beside, ['commit-tree', tree, ...parents, '-m', JSON.stringify(state)])
    await must(beside, ['update-ref', CHECKPOINT_REF, commit])
    const onHost = await commitsOnHost(git, workspace)
    await must(beside, ['bundle', 'create', '--quiet', file, CHECKPOINT_REF, ...onHost.map((one) => `^${one}`)])
    return { key, commit, bytes: (await stat(file)).size }
  } finally {
    await rm(own, { recursive: true, force: true })
  }
}

/** The user's index says which files have not changed, and which ignored ones are tracked all the same. */
async function openBeside(git: Git, own: string): Promise<void> {
  const pathOf = (name: string) => must(git, ['rev-parse', '--path-format=absolute', '--git-path', name])
  await rm(own, { recursive: true, force: true })
  await must(git, ['init', '--quiet', '--bare', '--template=', own])
  await mkdir(join(own, 'info'), { recursive: true })
  await writeFile(join(own, 'objects/info/alternates'), `${await pathOf('objects')}\n`)
  await copyIfThere(await pathOf('index'), join(own, 'index'))
  await copyIfThere(await pathOf('info/exclude'), join(own, 'info/exclude'))
}

async function copyIfThere(from: string, to: string): Promise<void> {
  try {
    const { atime, mtime } = await stat(from)
    await copyFile(from, to)
    // By the index's own time git knows which files may have changed since without looking different.
    await utimes(to, atime, mtime)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
}

async function leftOutOf(git: Git, directory: string): Promise<string[]> {
  const { files, repositories } = await newFiles(git)
  const large: string[] = []
  for (const path of files) if (((await statOf(directory, path))?.size ?? 0) > FILE_BYTES) large.push(path)
  const installed = files.flatMap((path) => installedFolder(path) ?? [])
  return [...new Set([...installed, ...repositories, ...files.filter(isSecretFile), ...large])]
}

async function stateOf(git: Git, workspace: MakeOptions['workspace'], leftOut: readonly string[]): Promise<CheckpointState> {
  const listed = await must(git, ['for-each-ref', '--format=%(objectname) %(refname:lstrip=2)', 'refs/heads'])
  const branches = listed.split('\n').filter(Boolean).slice(0, MOST_BRANCHES)
  const at = await git(['symbolic-ref', '--quiet', 'HEAD'])
  return {
    version: 1,
    head: await headCommit(git),
    at: at.code === 0 ? at.stdout.trim() : null,
    branches: Object.fromEntries(branches.map((line) => [line.slice(line.indexOf(' ') + 1), line.slice(0, line.indexOf(' '))])),
    remoteCommit: workspace.remoteCommit,
    leftOut: leftOut.slice(0, MOST_NAMES),
  }
}

/** Whether everything is as the turn found it. */
async function isUntouched(git: Git, tree: string, { head, branches }: CheckpointState, { turnBase }: { turnBase: string }) {
  if (head === null || Object.values(branches).some((commit) => commit !== head)) return false
  const [base, known] = [await git(['rev-parse', `${turnBase}^{tree}`]), await git(['rev-parse', `${head}^{tree}`])]
  return head === turnBase && base.stdout.trim() === tree && known.stdout.trim() === tree
}

/** What a new clone has too: the branch as it was pushed, and what it is compared with. */
async function commitsOnHost(git: Git, { remoteCommit, base, turnBase }: MakeOptions['workspace']): Promise<string[]> {
  const wanted = [...new Set([remoteCommit, base, turnBase])].filter((one) => one !== null)
  const known = await Promise.all(wanted.map(async (one) => (await git(['cat-file', '-e', `${one}^{commit}`])).code === 0))
  return wanted.filter((_, index) => known[index])
}
