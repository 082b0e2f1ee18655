/**
 * The lines of ours in a patch. `git apply` skips what stands before the first `diff --git` and after the last file, so a patch with them is a
 * patch like any other.
 */
const MADE_OUTSIDE = '# Made by Errand from what is on the git host.'
const BASE = '# Base: '
const COMMIT = '# Commit: '

/** The first line of a patch that the sandbox made, of work that was not pushed. */
export const OWN_ACCOUNT = "# Nothing was pushed: this patch is the agent's own account."

/** The last line of a patch that was cut. */
export const PATCH_CUT = '# Cut here: the change is too large to show in full. The branch holds all of it.'
/** Begins a line that names a file of the change that the patch does not have. */
export const PATCH_LEFT_OUT = '# Left out, too large to show:'

/** What a patch compares: `commit` was pushed, and `base` is a commit or tree on the git host, or a tree made of two commits there. */
export type PatchOrigin = { base: string; commit: string }

/** @returns the lines before a patch that was made outside of the sandbox */
export function patchHead({ base, commit }: PatchOrigin): string {
  return `${MADE_OUTSIDE}\n${BASE}${base}\n${COMMIT}${commit}\n`
}

/** @returns what the patch compares, by its first lines; null for one without them, which the sandbox or an earlier version made */
export function readPatchHead(patch: string): PatchOrigin | null {
  const [made, base = '', commit = ''] = patch.slice(0, 500).split('\n', 3)
  if (made !== MADE_OUTSIDE || !base.startsWith(BASE) || !commit.startsWith(COMMIT)) return null
  return { base: base.slice(BASE.length), commit: commit.slice(COMMIT.length) }
}
