import { rm } from 'node:fs/promises'
import type { DiffStat } from '../contract/event.ts'
import { commitAll, diffStat, headCommit, patchOf } from './changes.ts'
import type { Door } from './door.ts'
import { type End, failed } from './end.ts'
import { type Git, type GitResult, must } from './git.ts'
import type { Log } from './log.ts'
import { pause } from './pause.ts'
import { fault, RETRY_DELAYS_MS, type Workspace } from './workspace.ts'

export type Delivery = {
  diff: DiffStat | null
  /** True when the branch holds anything that its base does not. */
  changed: boolean
  /** Where the branch stands on the git host now; null when it is not there. */
  tip: string | null
  /** Why the work is not on the branch; null when it is. */
  problem: End | null
  /** What a person should know of an otherwise good delivery. */
  note: string | null
}

export type DeliveryOptions = {
  git: Git
  /** git where no config of the repository holds: what it reads from the git host is true. */
  outside: Git
  /** Address of the repository at the door. */
  remote: string
  door: Pick<Door, 'keep' | 'keepFile'>
  workspace: Workspace
  /** Commit message; its first line is the subject. */
  message: string
  /** Where the bundle is made when the push is refused. */
  scratch: string
  /** For the pushes together. */
  timeoutMs: number
  log: Log
  /** Between two pushes that failed without a refusal. */
  retryDelaysMs?: readonly number[]
}

/**
 * Brings what the agent has done out of the sandbox, however the turn ended: commits, pushes, and keeps the patch. A push that is
 * refused or cannot be made is kept as a git bundle instead.
 * @throws never for a fault of the git host or the door; an Error when git itself is broken here
 */
export const deliver = async (options: DeliveryOptions): Promise<Delivery> => {
  const { git, workspace, message, log } = options
  const committed = await commitAll(git, message)
  const { remoteCommit } = workspace
  if (!committed.ok) return { diff: null, changed: true, tip: remoteCommit, problem: fault(committed.result), note: null }
  const head = await headCommit(git)
  const diff = await diffStat(git, workspace.base)
  if (head === null || (head === workspace.base && !workspace.resumed))
    return { diff, changed: false, tip: null, problem: null, note: committed.note }
  await keepPatch(options)
  // The branch name points at the work even if the model left HEAD elsewhere; the bundle is made from it.
  await must(git, ['update-ref', `refs/heads/${workspace.branch}`, head])
  const refused = head === remoteCommit ? null : ((await push(options)) ?? (await checkArrival(options, head)))
  if (refused) {
    log('push.failed', { reason: refused.reason, message: refused.message })
    return { diff, changed: true, tip: remoteCommit, problem: await keepBundle(options, refused), note: committed.note }
  }
  return { diff, changed: diff.files > 0, tip: head, problem: null, note: committed.note }
}

/** @returns null when the branch is on the git host, or why it is not */
const push = async (options: DeliveryOptions): Promise<End | null> => {
  const { git, remote, workspace, timeoutMs, retryDelaysMs = RETRY_DELAYS_MS } = options
  const deadline = performance.now() + timeoutMs
  const ref = `refs/heads/${workspace.branch}`
  const lease = workspace.remoteCommit ? [`--force-with-lease=${ref}:${workspace.remoteCommit}`] : []
  for (let tried = 0; ; tried++) {
    const left = Math.max(1000, deadline - performance.now())
    // The lease lets the model rewrite what an earlier attempt pushed, and nothing that anybody else did.
    const result = await git(['push', '--quiet', ...lease, remote, `${ref}:${ref}`], { timeoutMs: left })
    if (result.code === 0) return null
    const delay = retryDelaysMs[tried]
    if (isRefusal(result)) return failed('push_refused', result.stderr.trim().slice(-1000))
    if (delay === undefined || performance.now() + delay > deadline) return fault(result)
    await pause(delay)
  }
}

/** For asking where the branch stands after a push. */
const ARRIVAL_MS = 3_000

/** `url.*.insteadOf` in the repository's config sends a push elsewhere, where it goes well. @returns null, or why the work is not there */
const checkArrival = async ({ outside, remote, workspace }: DeliveryOptions, head: string): Promise<End | null> => {
  const found = await outside(['ls-remote', '--', remote, `refs/heads/${workspace.branch}`], { timeoutMs: ARRIVAL_MS })
  if (found.code !== 0 || found.stdout.startsWith(head)) return null
  return failed('push_refused', 'git reported a push that did not arrive: its config in the work tree sends it somewhere else.')
}

const isRefusal = ({ stderr }: GitResult): boolean =>
  /\[(remote )?rejected\]|! \[|returned error: 4\d\d|could not read (Username|Password)|Authentication failed|not found/.test(
    stderr,
  )

const keepPatch = async ({ git, workspace, door, log }: DeliveryOptions): Promise<void> => {
  try {
    await door.keep('patch', await patchOf(git, workspace.base))
    await door.keep('turn-patch', await patchOf(git, workspace.turnBase))
  } catch (error) {
    // The branch holds the same change: a missing patch costs the view, not the work.
    log('patch.lost', { message: String(error) })
  }
}

const keepBundle = async ({ git, workspace, door, scratch, log }: DeliveryOptions, why: End): Promise<End> => {
  const file = `${scratch}/work.bundle`
  try {
    const tip = `refs/heads/${workspace.branch}`
    const isCommit = (await git(['cat-file', '-e', `${workspace.base}^{commit}`])).code === 0
    await must(git, ['bundle', 'create', '--quiet', file, tip, ...(isCommit ? [`^${workspace.base}`] : [])])
    await door.keepFile('bundle', file)
    await rm(file)
    return { ...why, message: `The push failed; the work is kept as a git bundle (\`errand bundle\`). ${why.message}` }
  } catch (error) {
    log('bundle.lost', { message: String(error) })
    return { ...why, message: `The push failed, and keeping the work as a git bundle did too (${String(error)}). ${why.message}` }
  }
}
