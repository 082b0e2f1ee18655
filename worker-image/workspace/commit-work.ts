import { commitAll } from './changes.ts'
import { cleanCommits } from './clean-commits.ts'
import { setConflictsAside } from './conflicted.ts'
import { type Aside, findWork, onBranch, type Work } from './find-work.ts'
import { flattenRepositories } from './flatten.ts'
import type { Git } from './git.ts'
import type { Finding } from './look/finding.ts'
import { leftOutOf } from './look/judge.ts'
import { type LookOptions, look } from './look/look.ts'
import type { Workspace } from './workspace.ts'

/** `failure`: git's words if nothing could be committed; the commits that are there still count. `note`: files that git could not add. */
export type CommittedWork = {
  findings: Finding[]
  note: string | null
  failure: { code: number | null; stderr: string } | null
}

/** Commits the work tree as it may be delivered: after a last look, without what stays out, and never as a merge with conflicts. Never throws. */
export async function commitWork(git: Git, options: LookOptions, message: string): Promise<CommittedWork> {
  const { directory, workspace } = options
  const { findings: flat, leftOut: secondTrees } = await flattenRepositories(git, directory)
  const seen = await look(git, options)
  const findings = [...flat, ...seen.findings.filter(({ kind }) => kind !== 'nested')]
  const leftOut = [...leftOutOf(findings), ...secondTrees]
  const paths = findings.flatMap((finding) => (finding.kind === 'conflict' ? finding.paths : []))
  try {
    if (paths.length > 0) {
      const note = await setConflictsAside(git, { turnBase: workspace.turnBase, paths, message, leftOut })
      return { findings, note, failure: null }
    }
    const { note, failed } = await commitAll(git, message, leftOut)
    return { findings, note, failure: failed }
  } catch (error) {
    return { findings, note: null, failure: { code: null, stderr: String(error) } }
  }
}

/** The commits that may go to the git host; `unsafe` says why none may. */
export type ReadyWork = { work: Work; findings: Finding[]; unsafe: string | null }

/** Finds the commits of the turn, and makes each fit to be pushed. Never throws. */
export async function readyWork(git: Git, workspace: Workspace, findings: readonly Finding[]): Promise<ReadyWork> {
  const held = leftOutOf(findings.filter(({ kind }) => kind !== 'dirty'))
  const found = await findWork(git, workspace)
  const more: Finding[] = []
  try {
    let tip = found.tip
    if (tip !== null && tip !== workspace.remoteCommit && tip !== workspace.base) {
      const placed = await onBranch(git, workspace, tip)
      if (placed.isUnrelated) if (!findings.some(({ detail }) => detail === 'unrelated')) more.push(UNRELATED)
      const { commit, removed } = await cleanCommits(git, placed.tip, workspace, held)
      more.push(...removed)
      tip = commit
    }
    const asides: Aside[] = []
    for (const aside of found.asides) {
      const { commit, removed } = await cleanCommits(git, aside.commit, workspace, held)
      more.push(...removed)
      asides.push({ ...aside, commit })
    }
    return { work: { ...found, tip, asides }, findings: withoutKnown(more, findings), unsafe: null }
  } catch (error) {
    return { work: { ...found, tip: workspace.remoteCommit, asides: [] }, findings: more, unsafe: String(error) }
  }
}

const UNRELATED: Finding = { kind: 'repository', paths: [], detail: 'unrelated' }

/** @returns the findings without the paths that are known already */
function withoutKnown(more: readonly Finding[], known: readonly Finding[]): Finding[] {
  const paths = new Set(known.flatMap((finding) => finding.paths))
  return more.flatMap((finding) => {
    const news = finding.paths.filter((path) => !paths.has(path))
    for (const path of news) paths.add(path)
    return finding.paths.length > 0 && news.length === 0 ? [] : [{ ...finding, paths: news }]
  })
}
