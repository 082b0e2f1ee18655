/** What a look at the work tree can find. `judge.ts` has what each means for the model, for the person, and for the commit. */
export const FINDING_KINDS = [
  'repository',
  'conflict',
  'markers',
  'nested',
  'second-tree',
  'submodule',
  'submodule-work',
  'secret',
  'filter',
  'installed',
  'link',
  'huge',
  'ignored',
  'scratch',
  'only',
  'many',
  'untested',
  'dirty',
  'unseen',
] as const
export type FindingKind = (typeof FINDING_KINDS)[number]

/** Plain JSON: it crosses from the process that sees the files to the one that speaks. */
export type Finding = {
  kind: FindingKind
  /** Relative to the repository's root. */
  paths: readonly string[]
  /** What the kind alone does not say: the name of a filter, a branch, a number. */
  detail: string | null
}

/** @returns no finding for no path */
export function found(kind: FindingKind, paths: readonly string[], detail: string | null = null): Finding[] {
  return paths.length === 0 ? [] : [{ kind, paths, detail }]
}

/** @returns a few of the names, for a sentence */
export function named(names: readonly string[], most = 5): string {
  return names.slice(0, most).join(', ') + (names.length > most ? ` and ${names.length - most} more` : '')
}
