import type { Readable } from 'node:stream'
import type { ArtifactKind } from '../contract/sandbox.ts'

/** Bytes that outlive a sandbox, kept as files in the data folder. */
export type Artifacts = {
  /**
   * Takes the whole stream or nothing of it.
   * @throws Refusal `conflict` when the attempt is not the current one of its task, `too_large` above the limit
   */
  save: (taskId: string, attempt: number, kind: ArtifactKind, content: Readable) => Promise<void>
  /** The newest attempt's, or null when there is none. */
  open: (taskId: string, kind: ArtifactKind) => Promise<Readable | null>
}
