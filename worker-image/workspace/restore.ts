import { existsSync } from 'node:fs'
import { rename } from 'node:fs/promises'
import { type Git, must } from './git.ts'
import { split } from './look/changed-files.ts'
import type { Workspace } from './workspace.ts'

/**
 * `intact`: the repository is the one that was checked out. `removed`, `replaced`: its `.git` was gone or another one, and is there again, with
 * HEAD on the branch's commit and the work in the work tree. `lost`: it could not be brought back; `message` says why.
 */
export type Restored = { state: 'intact' } | { state: 'removed' | 'replaced' } | { state: 'lost'; message: string }

/** @returns whether the repository still is the one that was checked out, or what happened to its `.git` */
export async function repositoryState(
  git: Git,
  directory: string,
  { turnBase }: Pick<Workspace, 'turnBase'>,
): Promise<'intact' | 'removed' | 'replaced'> {
  if (!existsSync(`${directory}/.git`)) return 'removed'
  const at = await git(['rev-parse', '--show-cdup'])
  const isHere = at.code === 0 && at.stdout.trim() === ''
  return isHere && (await git(['cat-file', '-e', turnBase])).code === 0 ? 'intact' : 'replaced'
}

/**
 * Brings back a `.git` that a command removed or replaced (`rm -rf .git; git init`): fetches the branch again and leaves every file of the work
 * tree as it is. Never throws.
 */
export async function restoreRepository(git: Git, directory: string, remote: string, workspace: Workspace): Promise<Restored> {
  try {
    const state = await repositoryState(git, directory, workspace)
    if (state === 'intact') return { state }
    if (!existsSync(directory)) return { state: 'lost', message: 'The folder of the repository was deleted.' }
    if (state === 'replaced') await rename(`${directory}/.git`, freeName(`${directory}.replaced`))
    const { branch, base, remoteCommit, baseBranch } = workspace
    await must(git, ['init', '--quiet', `--initial-branch=${branch}`])
    await must(git, ['remote', 'add', 'origin', remote])
    const wanted = [...(remoteCommit ? [branch] : []), ...(baseBranch ? [baseBranch] : [])]
    await must(git, ['fetch', '--quiet', 'origin', ...wanted.map((name) => `+refs/heads/${name}:refs/remotes/origin/${name}`)])
    // The base branch may have been rewritten meanwhile; then there is nothing to put the work on.
    const from = await must(git, ['rev-parse', '--verify', `${remoteCommit ?? base}^{commit}`])
    await must(git, ['update-ref', `refs/heads/${branch}`, from])
    await must(git, ['reset', '--quiet', '--mixed', from])
    return (await isEmptied(git, directory))
      ? { state: 'lost', message: 'Every file of the repository was deleted together with its .git folder.' }
      : { state }
  } catch (error) {
    return { state: 'lost', message: String(error) }
  }
}

/** Whether nothing is left of what was checked out: to commit that would only delete the whole repository. */
async function isEmptied(git: Git, directory: string): Promise<boolean> {
  const tracked = split(await must(git, ['ls-files', '-z']))
  return tracked.length > 0 && tracked.every((path) => !existsSync(`${directory}/${path}`))
}

function freeName(path: string): string {
  for (let number = 1; ; number++) if (!existsSync(`${path}-${number}`)) return `${path}-${number}`
}
