import { useRef } from 'react'
import type { ChangedFile } from '../../../../contract/api/api.ts'
import { Counts } from '../../design/feedback/counts.tsx'
import { Icon } from '../../design/icons/icon.tsx'
import { visibleMarks } from '../visible-marks.ts'
import { TASK_WORDS } from '../words.ts'
import type { Stop } from './change-stops.ts'
import { fileFacts, isShown } from './file-facts.ts'
import { Patch } from './patch.tsx'

type Props = { file: ChangedFile; wrap: boolean; open: boolean; current: Stop | null; onToggle: () => void }

/** One file: its line, which stays in sight as long as its diff does, and the diff. */
export function File({ file, wrap, open, current, onToggle }: Props) {
  const row = useRef<HTMLLIElement>(null)
  const toggle = () => {
    onToggle()
    // The one that was open above closes and takes its height along: this one comes back into sight.
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
            {name}
          </span>
          {file.kind !== 'modified' && <span className="file-kind">{TASK_WORDS.changes.kinds[file.kind]}</span>}
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
