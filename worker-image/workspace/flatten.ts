import { mkdir, rename } from 'node:fs/promises'
import { type Git, must } from './git.ts'
import { newFiles } from './look/changed-files.ts'
import { type Finding, found } from './look/finding.ts'
import { nestedRepositories } from './look/repositories.ts'

/** A scaffolder may put one repository into another. */
const MAX_DEPTH = 5

/** `leftOut`: second work trees of this repository, whose commits come with their branches. */
export type Flattened = { findings: Finding[]; leftOut: string[] }

/**
 * Makes plain files of repositories inside the work tree: git would commit such a folder as a mere link to a commit that nobody else has. The
 * folder's own `.git` moves into the repository's, so nothing is lost while the sandbox lives. Never throws.
 */
export async function flattenRepositories(git: Git, directory: string): Promise<Flattened> {
  const flat: string[] = []
  const trees = new Set<string>()
  try {
    const store = `${await must(git, ['rev-parse', '--absolute-git-dir'])}/errand-nested`
    for (let depth = 0; depth < MAX_DEPTH; depth++) {
      const nested = await nestedRepositories(git, directory, (await newFiles(git)).repositories)
      for (const { path, isSecondTree } of nested) if (isSecondTree) trees.add(path)
      const found = nested.filter(({ path, isSecondTree }) => !isSecondTree && !flat.includes(path))
      if (found.length === 0) break
      await mkdir(store, { recursive: true })
      for (const { path } of found) {
        await rename(`${directory}/${path}/.git`, `${store}/${flat.length}`)
        await git(['rm', '--cached', '--quiet', '--ignore-unmatch', '--', `:(top,literal)${path}`])
        flat.push(path)
      }
    }
  } catch (error) {
    // git then leaves the folder out, and the commit's note says so.
    return { findings: [{ kind: 'unseen', paths: [], detail: String(error) }], leftOut: [...trees] }
  }
  return { findings: found('nested', flat.sort(), 'plain'), leftOut: [...trees] }
}
