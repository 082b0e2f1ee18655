import { readlink } from 'node:fs/promises'
import { dirname, relative, resolve } from 'node:path'
import { hugeFiles } from '../changes.ts'
import { commitOf } from '../find-work.ts'
import { type Git, must } from '../git.ts'
import { repositoryState } from '../restore.ts'
import type { Workspace } from '../workspace.ts'
import { type AddedLines, addedBetween, addedInNewFiles } from './added-lines.ts'
import { type Change, changesSince, forPaths, newFiles, split, statOf } from './changed-files.ts'
import { findConflicts } from './conflicts.ts'
import { installedFolder, isProse, isScratch, isTest } from './file-names.ts'
import { findFilters } from './filters.ts'
import { type Finding, found } from './finding.ts'
import { findIgnored } from './ignored.ts'
import { findRepositories } from './repositories.ts'
import { isSecretFile, secretIn } from './secrets.ts'

const MANY_FILES = 300

export type LookOptions = {
  /** The work tree. */
  directory: string
  workspace: Pick<Workspace, 'turnBase' | 'baseBranch'>
  /** Paths that the agent's own tools wrote, and those among them that were written after the last command; empty when nobody knows. */
  written: readonly string[]
  untested: readonly string[]
}

/** Everything that is worth a word before the work is handed over, and whether the turn changed anything at all. */
export type Look = { findings: Finding[]; isChanged: boolean }

/**
 * Looks at the whole work tree as the turn leaves it: what a commit would take along that it should not, what it would leave behind, and
 * what is not finished. Changes nothing, and never throws: a part that fails is a finding too.
 */
export async function look(given: Git, options: LookOptions): Promise<Look> {
  const git = answersOnce(given)
  const { directory, workspace, written, untested } = options
  const { turnBase, baseBranch } = workspace
  const state = await repositoryState(git, directory, workspace)
  // Nothing else can be said of it before it is restored.
  if (state !== 'intact') return { findings: [{ kind: 'repository', paths: [], detail: state }], isChanged: true }
  const unseen: Finding[] = []
  const part = async <T>(find: () => Promise<T>, otherwise: T): Promise<T> => {
    try {
      return await find()
    } catch (error) {
      unseen.push({ kind: 'unseen', paths: [], detail: String(error) })
      return otherwise
    }
  }
  const base = baseBranch === '' ? null : `refs/remotes/origin/${baseBranch}`
  const changed = await part(() => changesSince(git, turnBase, null, base), [])
  const fresh = await part(() => newFiles(git), { files: [], repositories: [] })
  const dirty = await part(() => sinceCheckout(git, changed), [])
  const changes = changed.filter(({ path }) => !dirty.includes(path))
  const known = new Set(changes.map(({ path }) => path))
  const added = await part(
    async () => addedByTurn(git, directory, turnBase, known, fresh.files.filter(isOwn)),
    new Map<string, string>(),
  )
  const news: Change[] = fresh.files.map((path) => ({ path, before: null, mode: '' }))
  const parts = await Promise.all([
    part(() => findConflicts(git, directory, turnBase, added), []),
    part(() => findRepositories(git, directory, fresh.repositories), []),
    part(() => findFilters(git, directory, [...changes, ...news]), []),
    part(() => findIgnored(git, directory, written), []),
    part(() => findByName(git, directory, turnBase, [...changes, ...news]), []),
    part(async () => found('huge', await hugeFiles(git)), []),
  ])
  return {
    findings: [
      ...(await unrelated(git, turnBase)),
      ...parts.flat(),
      ...inLines(added),
      ...afterLastCommand(directory, untested),
      ...found('dirty', dirty),
      ...unseen,
    ],
    isChanged:
      changed.length > dirty.length || fresh.files.length + fresh.repositories.length > 0 || (await hasCommits(git, turnBase)),
  }
}

/** The parts ask some questions in common, and in a large repository each takes seconds. All see one answer: nothing changes while they look. */
function answersOnce(git: Git): Git {
  const answers = new Map<string, ReturnType<Git>>()
  return (args, options) => {
    const question = JSON.stringify([args, options])
    const answer = answers.get(question) ?? git(args, options)
    answers.set(question, answer)
    return answer
  }
}

/**
 * Files that git calls changed although their bytes are those of the commit: the repository's attributes ask for other line ends than it has.
 * A commit would rewrite them whole, and nobody asked for that.
 */
async function sinceCheckout(git: Git, changes: readonly Change[]): Promise<string[]> {
  const candidates = changes.filter(({ before, mode }) => before !== null && mode.startsWith('100'))
  const paths = candidates.map(({ path }) => path)
  const hashes = (await forPaths(git, ['hash-object', '--no-filters'], paths)).split('\n').filter(Boolean)
  // A file that cannot be read has no hash, and the lists no longer fit together.
  if (hashes.length !== paths.length) return []
  const differing = new Set(split(await must(git, ['diff', '--name-only', '-z', '--no-ext-diff', '--'])))
  return candidates.filter(({ path, before }, index) => before === hashes[index] && differing.has(path)).map(({ path }) => path)
}

/** Installed packages stay out anyway, and there may be tens of thousands of files of them. */
function isOwn(path: string): boolean {
  return installedFolder(path) === null
}

async function addedByTurn(
  git: Git,
  directory: string,
  turnBase: string,
  changed: ReadonlySet<string>,
  fresh: readonly string[],
): Promise<AddedLines> {
  const inKnown = [...(await addedBetween(git, turnBase, null))].filter(([path]) => changed.has(path))
  return new Map([...inKnown, ...(await addedInNewFiles(directory, fresh))])
}

/** What the names and kinds of changed files tell. */
export async function findByName(
  git: Git,
  directory: string | null,
  base: string,
  changes: readonly Change[],
): Promise<Finding[]> {
  const fresh = changes.filter(({ before }) => before === null)
  const paths = fresh.map(({ path }) => path)
  const folders = new Set(paths.flatMap((path) => installedFolder(path) ?? []))
  const tracked = split(await forPaths(git, ['ls-tree', '-z', '--name-only', base], [...folders]))
  const installed = [...folders].filter((folder) => !tracked.includes(folder))
  const rest = paths.filter((path) => !installed.includes(installedFolder(path) ?? ''))
  const links = directory === null ? [] : await outwardLinks(directory, changes)
  return [
    ...found('installed', installed),
    ...found('secret', rest.filter(isSecretFile), 'an environment or key file'),
    ...found(
      'link',
      links.filter((path) => !installed.includes(path)),
    ),
    ...found('scratch', rest.filter(isScratch)),
    ...found('many', rest.length > MANY_FILES ? rest : [], String(rest.length)),
  ]
}

/** Links that lead out of the work tree, or by an absolute path: on every other machine they lead nowhere. */
async function outwardLinks(directory: string, changes: readonly Change[]): Promise<string[]> {
  const outward: string[] = []
  for (const { path, mode } of changes) {
    if (mode !== '' && mode !== '120000') continue
    if (!(await statOf(directory, path))?.isSymbolicLink()) continue
    const target = await readlink(`${directory}/${path}`)
    const to = relative(directory, resolve(directory, dirname(path), target))
    if (target.startsWith('/') || to === '..' || to.startsWith('../')) outward.push(path)
  }
  return outward
}

/** Pure. What the lines tell that a turn adds. */
export function inLines(added: AddedLines): Finding[] {
  const secrets = [...added].flatMap(([path, text]) => {
    const what = secretIn(path, text)
    return what === null ? [] : [{ path, what }]
  })
  const kinds = [...new Set(secrets.map(({ what }) => what))]
  const only = [...added].filter(([path, text]) => isTest(path) && ONLY.test(text)).map(([path]) => path)
  return [
    ...kinds.flatMap((kind) =>
      found(
        'secret',
        secrets.filter(({ what }) => what === kind).map(({ path }) => path),
        kind,
      ),
    ),
    ...found('only', only),
  ]
}

/** A test that runs alone switches the others off: Jest, Vitest, Mocha, Playwright and node:test write it so, Jasmine with an f. */
const ONLY = /(^|[^\w.$'"`])((describe|it|test|suite|context|specify)(\.\w+)*\.only|fdescribe|fit)\s*[(`.]/m

/** Pure. Prose needs no check. */
function afterLastCommand(directory: string, untested: readonly string[]): Finding[] {
  const paths = untested.map((path) => relative(directory, resolve(directory, path)))
  return found(
    'untested',
    paths.filter((path) => !path.startsWith('..') && !isProse(path)),
  )
}

/** A HEAD without a common commit would replace what is on the branch. */
async function unrelated(git: Git, turnBase: string): Promise<Finding[]> {
  const [base, head] = [await commitOf(git, turnBase), await commitOf(git, 'HEAD')]
  if (base === null || head === null || (await git(['merge-base', base, head])).code === 0) return []
  return [{ kind: 'repository', paths: [], detail: 'unrelated' }]
}

async function hasCommits(git: Git, turnBase: string): Promise<boolean> {
  const commits = await git(['rev-list', '--max-count=1', '--branches', 'HEAD', '--not', turnBase, '--remotes'])
  return commits.code === 0 && commits.stdout !== ''
}
