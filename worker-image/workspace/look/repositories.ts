import { readdir } from 'node:fs/promises'
import { relative } from 'node:path'
import { type Git, must } from '../git.ts'
import { split, statOf } from './changed-files.ts'
import { type Finding, found } from './finding.ts'

const MAX_NAMES = 100

/** A folder with a `.git` of its own: another repository, or a second work tree of this one (`git worktree add`). */
export type Nested = { path: string; isSecondTree: boolean }

/** @param repositories folders with a `.git` of their own that the repository does not know */
export async function nestedRepositories(git: Git, directory: string, repositories: readonly string[]): Promise<Nested[]> {
  const added = (await embedded(git, directory)).filter((path) => !repositories.includes(path))
  const secondTrees = await linkedTrees(git, directory)
  return [...repositories, ...added].map((path) => ({ path, isSecondTree: secondTrees.includes(path) }))
}

/** @returns what of other repositories below or beside this one does not come along with its commit */
export async function findRepositories(git: Git, directory: string, repositories: readonly string[]): Promise<Finding[]> {
  const nested = await nestedRepositories(git, directory, repositories)
  const findings: Finding[] = []
  for (const { path, isSecondTree } of nested) {
    if (isSecondTree) continue
    const files = await filesOf(git, `${directory}/${path}`)
    findings.push(...found('nested', files.length > 0 ? [path] : [], String(files.length)))
  }
  return [...findings, ...(await findSecondTrees(git, directory)), ...(await findSubmodules(git, directory))]
}

/** Folders that somebody added to the index as another repository's commit, without making them a submodule. */
async function embedded(git: Git, directory: string): Promise<string[]> {
  const links = await commitLinks(git)
  const modules = await submodulePaths(git)
  const withGit = await Promise.all(links.map(async (path) => (await statOf(directory, `${path}/.git`)) !== null))
  return links.filter((path, index) => withGit[index] && !modules.includes(path))
}

/** @returns work trees that `git worktree add` made, relative to this one; those outside of it begin with `..` */
async function linkedTrees(git: Git, directory: string): Promise<string[]> {
  const listed = await must(git, ['worktree', 'list', '--porcelain'])
  const [, ...linked] = listed.split('\n').flatMap((line) => (line.startsWith('worktree ') ? [line.slice(9)] : []))
  return linked.map((path) => relative(directory, path))
}

/** Commits of a second work tree are found with its branch. What is not committed there is only on the sandbox's disk. */
async function findSecondTrees(git: Git, directory: string): Promise<Finding[]> {
  const dirty: string[] = []
  for (const path of (await linkedTrees(git, directory)).slice(0, MAX_NAMES)) {
    const status = await git(['-C', `${directory}/${path}`, 'status', '--porcelain', '--untracked-files=normal'])
    if (status.code === 0 && status.stdout !== '') dirty.push(path)
  }
  return found('second-tree', dirty)
}

async function findSubmodules(git: Git, directory: string): Promise<Finding[]> {
  const modules = await submodulePaths(git)
  const links = (await commitLinks(git)).filter((path) => modules.includes(path))
  const lost: string[] = []
  const changed: string[] = []
  for (const path of links) {
    const isPopulated = (await statOf(directory, `${path}/.git`)) !== null
    if (!isPopulated) lost.push(...(await filesBelow(`${directory}/${path}`)).map((file) => `${path}/${file}`))
    else if (await isChanged(git, path)) changed.push(path)
  }
  return [...found('submodule', lost), ...found('submodule-work', changed)]
}

/** The third field of a changed submodule is `S`, then `C` for another commit, `M` for changes and `U` for new files (`git-status`). */
async function isChanged(git: Git, path: string): Promise<boolean> {
  const { stdout } = await git(['status', '--porcelain=v2', '--ignore-submodules=none', '--', `:(top,literal)${path}`])
  return /^[12u] \S+ S(C|.M|..U)/m.test(stdout)
}

/** @returns folders that the index holds as a commit of another repository */
async function commitLinks(git: Git): Promise<string[]> {
  const entries = split(await must(git, ['ls-files', '--stage', '-z']))
  return entries.flatMap((entry) => (entry.startsWith('160000 ') ? [entry.slice(entry.indexOf('\t') + 1)] : []))
}

export async function submodulePaths(git: Git): Promise<string[]> {
  const { stdout } = await git(['config', '--file', '.gitmodules', '--get-regexp', '^submodule\\..*\\.path$'])
  return stdout.split('\n').flatMap((line) => (line.includes(' ') ? [line.slice(line.indexOf(' ') + 1)] : []))
}

async function filesOf(git: Git, path: string): Promise<string[]> {
  const listed = await git(['-C', path, 'ls-files', '--cached', '--others', '--exclude-standard', '-z'])
  return split(listed.stdout)
}

async function filesBelow(path: string): Promise<string[]> {
  const entries = await readdir(path, { recursive: true, withFileTypes: true }).catch(() => [])
  return entries
    .filter((entry) => !entry.isDirectory())
    .slice(0, MAX_NAMES)
    .map((entry) => relative(path, `${entry.parentPath ?? entry.path}/${entry.name}`))
}
