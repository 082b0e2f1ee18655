import { useRef } from 'react'
import type { ChangedFile } from '../../../../contract/api/api.ts'
import { Counts } from '../../design/feedback/counts.tsx'
import { TASK_WORDS } from '../words.ts'
import { File } from './file.tsx'
import { StepButtons } from './step-buttons.tsx'
import { useStops } from './use-stops.ts'

/** The files, one open at a time, and the way from change to change. A single one is open from the start. */
export function FileList({ files, wrap }: { files: readonly ChangedFile[]; wrap: boolean }) {
  const list = useRef<HTMLUListElement>(null)
  const { open, toggle, at, ...steps } = useStops(files, list)
  const added = files.reduce((sum, file) => sum + file.insertions, 0)
  const removed = files.reduce((sum, file) => sum + file.deletions, 0)
  return (
    <>
      <p className="soft numbers">
        {TASK_WORDS.changes.total(files.length)} <Counts added={added} removed={removed} />
      </p>
      <ul className="files" ref={list}>
        {files.map((file) => (
          <File
            key={file.path}
            file={file}
            wrap={wrap}
            open={open === file.path}
            current={at?.path === file.path ? at : null}
            onToggle={() => toggle(file.path)}
          />
        ))}
      </ul>
      {steps.count > 1 && <StepButtons at={at} {...steps} />}
    </>
  )
}
