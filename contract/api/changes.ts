import * as z from 'zod'

/** One file of `GET /api/tasks/:id/changes?turn=`. `patch` is null for a file that is listed without its content. */
export const ChangedFile = z
  .object({
    path: z.string(),
    /** Set when the file was renamed. */
    oldPath: z.string().nullable(),
    kind: z.enum(['added', 'deleted', 'modified', 'renamed']),
    insertions: z.number().int().nonnegative(),
    deletions: z.number().int().nonnegative(),
    binary: z.boolean(),
    /** Too long to show here; the whole diff has it. */
    huge: z.boolean(),
    patch: z.string().nullable(),
  })
  .meta({ id: 'ChangedFile' })
export type ChangedFile = z.infer<typeof ChangedFile>

export const Changes = z
  .object({
    turn: z.number().int().positive().nullable(),
    files: z.array(ChangedFile),
    truncated: z.boolean(),
    /**
     * Who says so. `git-host`: Errand read it from what was pushed; `agent`: the agent's own account, for work that was not pushed. Null: there
     * is no patch.
     */
    source: z.enum(['git-host', 'agent']).nullable(),
    /** The pushed commit that the changes lead to; null if `source` is not `git-host`. */
    commit: z.string().nullable(),
  })
  .meta({ id: 'Changes' })
export type Changes = z.infer<typeof Changes>
