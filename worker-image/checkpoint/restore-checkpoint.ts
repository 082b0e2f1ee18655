import { type Git, must } from '../workspace/git.ts'
import type { Workspace } from '../workspace/workspace.ts'
import { CHECKPOINT_REF, CheckpointState, type RestoredCheckpoint } from './state.ts'

/**
 * Brings a checkpoint into a work tree that was just cloned: HEAD and the branches as they were, and the files as they were, unstaged. If
 * anything is wrong with it, the work tree is as it was cloned. Never throws.
 * @param bundle a file that {@link makeCheckpoint} wrote in another sandbox
 */
export async function restoreCheckpoint(
  git: Git,
  bundle: string,
  workspace: Pick<Workspace, 'remoteCommit'>,
): Promise<RestoredCheckpoint> {
  try {
    const fetched = await git([
      'fetch',
      '--quiet',
      '--no-tags',
      '--no-write-fetch-head',
      bundle,
      `+${CHECKPOINT_REF}:${CHECKPOINT_REF}`,
    ])
    if (fetched.code !== 0) return failed(whyNotFetched(fetched.stderr))
    const message = await must(git, ['log', '-1', '--format=%ct %B', CHECKPOINT_REF])
    const at = message.indexOf(' ')
    const state = CheckpointState.parse(JSON.parse(message.slice(at)))
    // Whoever pushed since then pushed work of this turn, too.
    if (state.remoteCommit !== workspace.remoteCommit) return failed('the branch was pushed to in the meantime')
    await checkOut(git, state)
    return { ok: true, takenAt: Number(message.slice(0, at)) * 1000, leftOut: state.leftOut }
  } catch {
    return failed('they are damaged')
  } finally {
    await git(['update-ref', '-d', CHECKPOINT_REF])
  }
}

function failed(why: string): RestoredCheckpoint {
  return { ok: false, why }
}

function whyNotFetched(stderr: string): string {
  return /prerequisite|lacks these/i.test(stderr) ? 'the branch that they build on was rewritten' : 'they are damaged'
}

async function checkOut(git: Git, { head, at, branches }: CheckpointState): Promise<void> {
  const before = await must(git, ['rev-parse', '--symbolic-full-name', 'HEAD']).catch(() => '')
  const clean = await git(['rev-parse', '--verify', '--quiet', 'HEAD'])
  try {
    await must(git, ['read-tree', '--reset', '-u', CHECKPOINT_REF])
    for (const [name, commit] of Object.entries(branches)) await must(git, ['update-ref', `refs/heads/${name}`, commit])
    if (at !== null) await must(git, ['symbolic-ref', 'HEAD', at])
    else if (head !== null) await must(git, ['update-ref', '--no-deref', 'HEAD', head])
    await must(git, head === null ? ['read-tree', '--empty'] : ['reset', '--quiet', '--mixed', head])
  } catch (error) {
    if (before !== '' && clean.code === 0) {
      await git(['symbolic-ref', 'HEAD', before])
      await git(['update-ref', 'HEAD', clean.stdout.trim()])
      await git(['reset', '--quiet', '--hard'])
    }
    await git(['clean', '--quiet', '-d', '--force'])
    throw error
  }
}
