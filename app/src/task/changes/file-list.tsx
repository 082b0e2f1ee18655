import { useRef, useState } from 'react'
import type { ChangedFile } from '../../../../contract/api.ts'
import { Icon } from '../../design/icon.tsx'
import { Counts } from '../feed/counts.tsx'
import { TASK_WORDS } from '../words.ts'
import { Patch } from './patch.tsx'

const WORDS = TASK_WORDS.changes

/** The files, one open at a time. A single one is open from the start. */
export const FileList = ({ files, wrap }: { files: readonly ChangedFile[]; wrap: boolean }) => {
  const [open, setOpen] = useState<string | null>(files.length === 1 ? (files[0]?.path ?? null) : null)
  const added = files.reduce((sum, file) => sum + file.insertions, 0)
  const removed = files.reduce((sum, file) => sum + file.deletions, 0)
  return (
    <>
      <p className="soft numbers">
        {WORDS.total(files.length)} <Counts added={added} removed={removed} />
      </p>
      <ul className="files">
        {files.map((file) => (
          <File
            key={file.path}
            file={file}
            wrap={wrap}
            open={open === file.path}
            onToggle={() => setOpen(open === file.path ? null : file.path)}
          />
        ))}
      </ul>
    </>
  )
}

type FileProps = { file: ChangedFile; wrap: boolean; open: boolean; onToggle: () => void }

const File = ({ file, wrap, open, onToggle }: FileProps) => {
  const row = useRef<HTMLLIElement>(null)
  const toggle = () => {
    onToggle()
    // The one that was open above closes and takes its height along: this one comes back into sight.
    requestAnimationFrame(() => row.current?.scrollIntoView({ block: 'nearest' }))
  }
  const { folder, name } = split(file.path)
  return (
    <li ref={row} className="file">
      <h2>
        <button type="button" className="file-line" aria-expanded={open} onClick={toggle}>
          <Icon name={open ? 'down' : 'right'} size={16} />
          <span className="file-name mono">
            <span className="soft">{folder}</span>
            {name}
          </span>
          {file.kind !== 'modified' && <span className="file-kind">{WORDS.kinds[file.kind]}</span>}
          {!file.binary && <Counts added={file.insertions} removed={file.deletions} />}
        </button>
      </h2>
      {open && (
        <div className="file-body">
          {file.oldPath && <p className="soft small mono">{WORDS.renamedFrom(file.oldPath)}</p>}
          <Body file={file} wrap={wrap} />
        </div>
      )}
    </li>
  )
}

const Body = ({ file, wrap }: { file: ChangedFile; wrap: boolean }) => {
  if (file.binary) return <p className="soft">{WORDS.binary}</p>
  if (file.huge) return <p className="soft">{WORDS.huge}</p>
  if (file.patch === null || file.insertions + file.deletions === 0) return <p className="soft">{WORDS.noText}</p>
  return <Patch patch={file.patch} label={file.path} wrap={wrap} />
}

const split = (path: string): { folder: string; name: string } => {
  const at = path.lastIndexOf('/') + 1
  return { folder: path.slice(0, at), name: path.slice(at) }
}
