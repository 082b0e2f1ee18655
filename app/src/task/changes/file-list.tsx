import { useRef } from 'react'
import type { ChangedFile } from '../../../../contract/api/changes.ts'
import { IconButton } from '../../design/controls/button.tsx'
import { Counts } from '../../design/feedback/badges.tsx'
import { TASK_WORDS } from '../text/words.ts'
import { File } from './file.tsx'
import { useStops } from './use-stops.ts'

const WORDS = TASK_WORDS.changes

/** The files, one open at a time, and buttons to step through the changes. A single file is open from the start. */
export function FileList({ files, wrap }: { files: readonly ChangedFile[]; wrap: boolean }) {
  const list = useRef<HTMLUListElement>(null)
  const { open, toggle, at, ...steps } = useStops(files, list)
  const added = files.reduce((sum, file) => sum + file.insertions, 0)
  const removed = files.reduce((sum, file) => sum + file.deletions, 0)
  return (
    <>
      <p className="soft numbers">
        {WORDS.total(files.length)} <Counts added={added} removed={removed} />
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

/** Steps from change to change, across files; within reach of a thumb. */
function StepButtons({ at, number, count, step }: Pick<ReturnType<typeof useStops>, 'at' | 'number' | 'count' | 'step'>) {
  return (
    <div className="steps">
      <IconButton icon="up" label={WORDS.previous} onClick={() => step(-1)} />
      <span className="numbers small" aria-hidden="true">
        {WORDS.at(number, count)}
      </span>
      <IconButton icon="down" label={WORDS.next} onClick={() => step(1)} />
      <span className="hidden-for-eyes" role="status">
        {at && WORDS.change(number, count, at.path)}
      </span>
    </div>
  )
}
