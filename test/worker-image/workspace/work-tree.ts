import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { execa } from 'execa'
import { commitWork, readyWork } from '../../../worker-image/workspace/commit-work.ts'
import { createGit, OUTSIDE } from '../../../worker-image/workspace/git.ts'
import { restoreRepository } from '../../../worker-image/workspace/restore.ts'
import { type SaveOptions, saveWork } from '../../../worker-image/workspace/save-work.ts'
import { openWorkspace, type Workspace } from '../../../worker-image/workspace/workspace.ts'
import { refsOf } from '../../support/outside/git-server.ts'
import { temporaryFolder } from '../../support/systems/temporary.ts'

/** The author of commits in tests: a machine need not know a name for its commits. */
export const SOMEBODY = {
  GIT_AUTHOR_NAME: 'Somebody',
  GIT_AUTHOR_EMAIL: 'somebody@example.org',
  GIT_COMMITTER_NAME: 'Somebody',
  GIT_COMMITTER_EMAIL: 'somebody@example.org',
}

export const BRANCH = 'errand/T1/work'
export type WorkTree = Awaited<ReturnType<typeof makeWorkTree>>

const never = new AbortController().signal

/** An empty repository as the git host, a place for the work tree, and what a turn does with both. */
export async function makeWorkTree() {
  const folder = await temporaryFolder()
  const origin = join(folder.path, 'origin.git')
  const directory = join(folder.path, 'tree')
  await execa('git', ['init', '-q', '--bare', '-b', 'main', origin])
  const access = { path: process.env.PATH ?? '', run: randomUUID() }
  const git = createGit({ directory, ...access })
  const outside = createGit({ directory: OUTSIDE, ...access })

  const open = (more: { remote?: string; baseBranch?: string | null } = {}) => {
    const first = { directory, remote: origin, baseBranch: null, branch: BRANCH, turnBase: null, signal: never }
    return openWorkspace(git, { ...first, retryDelaysMs: [1, 1], ...more })
  }
  const opened = async (): Promise<Workspace> => {
    const result = await open()
    if (!result.ok) throw new Error(JSON.stringify(result.end))
    return result.workspace
  }
  return {
    folder,
    origin,
    directory,
    git,
    open,
    opened,
    pushed: (branch: string, file: string) => pushElsewhere(folder.path, origin, branch, file),
    saved: (workspace: Workspace, touched?: SaveOptions['touched']) =>
      save({ git, outside, remote: origin, workspace, ...(touched ? { touched } : {}) }, directory),
    inTree: (script: string) => execa('bash', ['-c', script], { cwd: directory, env: SOMEBODY }),
    onHost: () => branchesOn(origin),
    /** Somebody else runs a script in a clone, and pushes all of it to a branch of the host. @returns the commit */
    elsewhere: (branch: string, script: string) => workElsewhere(folder.path, origin, branch, script),
    /** Opens a work tree whose repository has on `main` what the script makes. */
    openedWith: async (script: string) => {
      await workElsewhere(folder.path, origin, 'main', script)
      return opened()
    },
    /** @returns what a git command prints on the host; `BRANCH` in it stands for the branch */
    show: async (branch: string, ...args: string[]) =>
      (await execa('git', ['-C', origin, ...args.map((arg) => arg.replace('BRANCH', branch))])).stdout,
  }
}

/** A commit on a branch of the origin, made elsewhere. */
async function pushElsewhere(folder: string, origin: string, branch: string, file: string): Promise<void> {
  const tree = join(folder, `elsewhere-${file}`)
  const script = `git clone -q "$0" "$1" 2>/dev/null && cd "$1" && (git checkout -q "origin/$2" 2>/dev/null || true) && echo "$3" > "$3" && git add -A && git commit -qm "$3" && git push -q origin "HEAD:refs/heads/$2"`
  await execa('bash', ['-c', script, origin, tree, branch, file], { env: SOMEBODY })
}

async function workElsewhere(folder: string, origin: string, branch: string, script: string): Promise<string> {
  const tree = join(folder, `elsewhere-${randomUUID()}`)
  const start = `git clone -q "$0" "$1" 2>/dev/null && cd "$1" && (git checkout -q "origin/$2" 2>/dev/null || true)`
  const end = 'git add -Af && git commit -qm elsewhere && git push -q origin "HEAD:refs/heads/$2" && git rev-parse HEAD'
  const { stdout } = await execa('bash', ['-ec', `${start}\n${script}\n${end}`, origin, tree, branch], { env: SOMEBODY })
  return stdout.split('\n').at(-1) ?? ''
}

async function save(place: Pick<SaveOptions, 'git' | 'touched' | 'outside' | 'remote' | 'workspace'>, directory: string) {
  const stored = new Map<string, string>()
  const result = await saveWork({
    ...place,
    restore: () => restoreRepository(place.git, directory, place.remote, place.workspace),
    commit: (touched, message) => commitWork(place.git, { directory, workspace: place.workspace, ...touched }, message),
    ready: (findings) => readyWork(place.git, place.workspace, findings),
    bundle: async () => Buffer.from('a bundle'),
    door: {
      store: async (kind, bytes) => void stored.set(kind, String(bytes)),
      awaitLease: async () => ({ lease: 'current', waited: false }),
    },
    signal: never,
    message: 'Work',
    timeoutMs: 10_000,
    log: () => undefined,
    retryDelaysMs: [1, 1],
  })
  return { result, stored }
}

/** The task's branches on the git host with their commits, its own first. */
async function branchesOn(origin: string) {
  const refs = Object.entries(await refsOf(origin)).map(([ref, commit]) => [ref.replace('refs/heads/', ''), commit])
  return refs.filter(([name]) => name?.startsWith('errand/')).sort(([name]) => (name === BRANCH ? -1 : 1))
}
