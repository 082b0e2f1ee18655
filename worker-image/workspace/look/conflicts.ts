import { readFile } from 'node:fs/promises'
import { type Git, must } from '../git.ts'
import type { AddedLines } from './added-lines.ts'
import { split, statOf } from './changed-files.ts'
import { type Finding, found } from './finding.ts'

/** The lines that git writes around the two sides of a conflict (git, `git-merge`, "How conflicts are presented"), in their order. */
const MARKERS = /^<{7}(?: .*)?$[\s\S]*?^={7}$[\s\S]*?^>{7}(?: .*)?$/m
const MAX_BYTES = 16 * 1024 * 1024

/**
 * Finds what a merge, rebase, pick or stash left unresolved. A file whose markers are gone counts as resolved although git was not told: the
 * commit tells it. Marker lines without any merge may be what the task asked for, and are only pointed out.
 * @param added what the turn adds to each file
 */
export async function findConflicts(git: Git, directory: string, turnBase: string, added: AddedLines): Promise<Finding[]> {
  const unmerged = await unresolvedPaths(git, directory)
  const marked = [...added].filter(([, text]) => MARKERS.test(text.replaceAll('\r', ''))).map(([path]) => path)
  const merged = (await mergesSince(git, turnBase)) || unmerged.length > 0 || (await isMerging(git))
  return [...found('conflict', [...new Set([...unmerged, ...(merged ? marked : [])])]), ...found('markers', merged ? [] : marked)]
}

async function unresolvedPaths(git: Git, directory: string): Promise<string[]> {
  const stages = new Map<string, Set<string>>()
  for (const line of split(await must(git, ['ls-files', '--unmerged', '-z']))) {
    const [head = '', path = ''] = line.split('\t')
    stages.set(path, (stages.get(path) ?? new Set()).add(head.split(' ')[2] ?? ''))
  }
  const unresolved: string[] = []
  for (const [path, sides] of stages) if (!(await isResolved(directory, path, sides))) unresolved.push(path)
  return unresolved
}

/** A text that both sides changed has markers until somebody resolves it. Every other conflict leaves one side's file as it is. */
async function isResolved(directory: string, path: string, sides: ReadonlySet<string>): Promise<boolean> {
  if (!sides.has('2') || !sides.has('3')) return false
  const file = await statOf(directory, path)
  if (!file) return true
  if (!file.isFile() || file.size > MAX_BYTES) return false
  const bytes = await readFile(`${directory}/${path}`)
  return !bytes.subarray(0, 8000).includes(0) && !/^(<{7}|>{7})( |$)/m.test(bytes.toString('utf8').replaceAll('\r', ''))
}

async function mergesSince(git: Git, turnBase: string): Promise<boolean> {
  const found = await git(['rev-list', '--merges', '--max-count=1', 'HEAD', '--not', turnBase, '--remotes'])
  return found.code === 0 && found.stdout !== ''
}

async function isMerging(git: Git): Promise<boolean> {
  const heads = ['MERGE_HEAD', 'CHERRY_PICK_HEAD', 'REVERT_HEAD', 'REBASE_HEAD']
  const answers = await Promise.all(heads.map((name) => git(['rev-parse', '--verify', '--quiet', name])))
  return answers.some(({ code }) => code === 0)
}
