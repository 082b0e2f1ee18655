import * as z from 'zod'

/** The name of a checkpoint in its bundle. */
export const CHECKPOINT_REF = 'refs/errand/checkpoint'

const Commit = z.string().regex(/^[0-9a-f]{40,64}$/)

/** What a checkpoint is besides its files: the message of its commit. */
export const CheckpointState = z.object({
  version: z.literal(1),
  /** HEAD's commit; null in a repository without one. */
  head: Commit.nullable(),
  /** The branch that HEAD is on, as `refs/heads/…`; null: on none. */
  at: z.string().startsWith('refs/heads/').nullable(),
  /** Every branch, without `refs/heads/`, and its commit. */
  branches: z.record(z.string(), Commit),
  /** The task's branch on the git host when the attempt cloned it. */
  remoteCommit: Commit.nullable(),
  /** Files and folders that the checkpoint does not have, of those that git does not ignore. */
  leftOut: z.array(z.string()),
})
export type CheckpointState = z.infer<typeof CheckpointState>

/** `why`: for a person and the model, as the end of a sentence. */
export const RestoredCheckpoint = z.discriminatedUnion('ok', [
  z.object({ ok: z.literal(true), takenAt: z.number(), leftOut: z.array(z.string()) }),
  z.object({ ok: z.literal(false), why: z.string() }),
])
export type RestoredCheckpoint = z.infer<typeof RestoredCheckpoint>
