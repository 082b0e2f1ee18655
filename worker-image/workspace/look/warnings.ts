import type { Git } from '../git.ts'
import { split } from './changed-files.ts'
import { missingFilters } from './filters.ts'
import { named } from './finding.ts'
import { submodulePaths } from './repositories.ts'

/**
 * What the model must know of a fresh checkout before it works: files that lie there in another form than the repository means, and folders
 * that stay empty. Never throws.
 * @returns null for an ordinary repository
 */
export async function warningsAbout(git: Git): Promise<string | null> {
  try {
    const warnings: string[] = []
    for (const filter of await missingFilters(git)) {
      const files = split((await git(['ls-files', '-z', '--', `:(top,attr:filter=${filter})`])).stdout)
      warnings.push(
        `The repository passes some files through the git filter "${filter}", which this machine does not have${files.length > 0 ? ` (${named(files)})` : ''}. Such files lie here as git stores them (a pointer, or encrypted). What you write to them cannot be delivered, so do without changing them.`,
      )
    }
    const modules = await submodulePaths(git)
    if (modules.length > 0)
      warnings.push(
        `Submodules are not checked out, and their folders are empty: ${named(modules)}. Their files belong to other repositories, so changes below them cannot be delivered.`,
      )
    return warnings.length > 0 ? `Errand: ${warnings.join('\n')}` : null
  } catch {
    // The look before the hand-over finds the same again.
    return null
  }
}
