import type { ChangedFile } from '../../../../contract/api/api.ts'
import { visibleMarks } from '../visible-marks.ts'
import { TASK_WORDS } from '../words.ts'

const WORDS = TASK_WORDS.changes

/** What is to be said of a file beside its lines, or in their place: what it was called, its mode, why nothing is shown. */
export function fileFacts({ oldPath, binary, huge, patch, kind }: ChangedFile): string[] {
  const head = patch?.split('\n@@ -', 1)[0] ?? ''
  const before = /^old mode (\d+)$/m.exec(head)?.[1]
  const after = /^new mode (\d+)$/m.exec(head)?.[1]
  const facts = [
    ...(oldPath === null ? [] : [WORDS.renamedFrom(visibleMarks(oldPath))]),
    ...(before && after ? [WORDS.mode(before, after)] : []),
    ...(binary ? [WORDS.binary] : huge ? [WORDS.huge] : []),
  ]
  if (binary || huge || isShown(patch)) return facts
  if (kind === 'added' || kind === 'deleted') return [...facts, WORDS.empty]
  return kind === 'renamed' && !before ? [...facts, WORDS.onlyName] : facts
}

/** @returns whether a patch has lines to show */
export function isShown(patch: string | null): patch is string {
  return patch !== null && /^@@ -/m.test(patch)
}
