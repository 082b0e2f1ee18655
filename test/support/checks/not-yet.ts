/** Faults against the rules of the house that are there today, each to be mended: none may be added, and one that is mended is taken out. */
export const NOT_YET = {
  breaches: [] as string[],
  circles: [] as string[],
  sql: [] as string[],
  longFunctions: [] as string[],
  fullFolders: [] as string[],
}
