import { useRef } from 'react'
import type { ChangedFile } from '../../../../contract/api/changes.ts'
import { Counts } from '../../design/feedback/badges.tsx'
import { Icon } from '../../design/icons/icon.tsx'
import { visibleMarks } from '../text/format.ts'
import { TASK_WORDS } from '../text/words.ts'
import { Patch } from './patch.tsx'
import type { Stop } from './patch-lines.ts'

const WORDS = TASK_WORDS.changes

type Props = { file: ChangedFile; wrap: boolean; open: boolean; current: Stop | null; onToggle: () => void }

/** One file: its diff, and its header, which stays visible as long as the diff is. */
export function File({ file, wrap, open, current, onToggle }: Props) {
  const row = useRef<HTMLLIElement>(null)
  const toggle = () => {
    onToggle()
    // Closing the file that was open above shifts this one: scroll it back into view.
    requestAnimationFrame(() => row.current?.scrollIntoView({ block: 'nearest' }))
  }
  const { folder, name } = split(visibleMarks(file.path))
  return (
    <li ref={row} className="file" {...(current?.hunk === null && { 'aria-current': true })}>
      <h2 className="file-head">
        <button type="button" className="file-line" aria-expanded={open} onClick={toggle}>
          <Icon name={open ? 'down' : 'right'} size={16} />
          <span className="file-name mono">
            <span className="soft">{folder}</span>
            <wbr />
            {name}
          </span>
          {file.kind !== 'modified' && <span className="file-kind">{WORDS.kinds[file.kind]}</span>}
          {!file.binary && <Counts added={file.insertions} removed={file.deletions} />}
        </button>
      </h2>
      {open && (
        <div className="file-body">
          {fileFacts(file).map((fact) => (
            <p key={fact} className="soft small">
              {fact}
            </p>
          ))}
          {isShown(file.patch) && <Patch patch={file.patch} path={file.path} wrap={wrap} current={current?.hunk ?? null} />}
        </div>
      )}
    </li>
  )
}

function split(path: string): { folder: string; name: string } {
  const at = path.lastIndexOf('/') + 1
  return { folder: path.slice(0, at), name: path.slice(at) }
}

/** Facts about a file besides its lines: its old name, its mode, or why no lines are shown. */
function fileFacts({ oldPath, binary, huge, patch, kind }: ChangedFile): string[] {
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
function isShown(patch: string | null): patch is string {
  return patch !== null && /^@@ -/m.test(patch)
}
