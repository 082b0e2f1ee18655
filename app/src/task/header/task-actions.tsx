import { useState } from 'react'
import { Link } from 'wouter'
import { isUnderWay } from '../../../../client/task-summary.ts'
import type { Task } from '../../../../contract/api/api.ts'
import { useCancelTask } from '../../client/task-calls.ts'
import { Button, IconButton } from '../../design/controls/button.tsx'
import { useCopy } from '../../design/controls/copy.tsx'
import { Sheet } from '../../design/dialogs/sheet.tsx'
import { Fault } from '../../design/feedback/states.tsx'
import { Icon } from '../../design/icons/icon.tsx'
import { TASK_WORDS } from '../text/words.ts'
import { BudgetSheet } from './budget-sheet.tsx'
import { DeleteSheet } from './delete-sheet.tsx'

const WORDS = TASK_WORDS.header

/** The cancel button while the task waits or runs, and the menu. */
export function TaskActions({ task, isOld, onRetry }: { task: Task; isOld: boolean; onRetry: () => void }) {
  const [open, setOpen] = useState<'menu' | 'budget' | 'delete' | null>(null)
  const close = () => setOpen(null)
  return (
    <>
      {isUnderWay(task.status) && <CancelButton key={task.turn} taskId={task.id} isOld={isOld} />}
      <IconButton icon="more" label={WORDS.menu} aria-haspopup="dialog" onClick={() => setOpen('menu')} />
      {open === 'menu' && (
        <TaskMenu
          task={task}
          onClose={close}
          onRetry={() => {
            close()
            onRetry()
          }}
          onBudget={() => setOpen('budget')}
          onDelete={() => setOpen('delete')}
        />
      )}
      {open === 'budget' && <BudgetSheet task={task} onClose={close} />}
      {open === 'delete' && <DeleteSheet taskId={task.id} onClose={close} />}
    </>
  )
}

/** Shows "Cancelling" until the turn has ended. Disabled on saved data, because the task may already have ended. */
function CancelButton({ taskId, isOld }: { taskId: string; isOld: boolean }) {
  const cancel = useCancelTask(taskId)
  const cancelling = cancel.isPending || cancel.isSuccess
  return (
    <>
      <Button look="danger" icon="stop" className="cancel" disabled={isOld} busy={cancelling} onClick={() => cancel.mutate()}>
        <span className="cancel-word">{cancelling ? WORDS.cancelling : WORDS.cancel}</span>
      </Button>
      {cancel.isError && (
        <Sheet title={WORDS.cancel} onClose={() => cancel.reset()}>
          <Fault error={cancel.error} />
        </Sheet>
      )}
    </>
  )
}

type MenuProps = { task: Task; onClose: () => void; onRetry: () => void; onBudget: () => void; onDelete: () => void }

function TaskMenu({ task, onClose, onRetry, onBudget, onDelete }: MenuProps) {
  return (
    <Sheet title={WORDS.menu} onClose={onClose}>
      <ul className="menu">
        <li>
          <Link className="menu-item" href={`/task/${task.id}/changes`}>
            <Icon name="file" />
            {WORDS.changes}
          </Link>
        </li>
        <li>
          <CopyLink />
        </li>
        {!task.demo && (
          <li>
            <button type="button" className="menu-item" onClick={onBudget}>
              <Icon name="settings" />
              {WORDS.budget}
            </button>
          </li>
        )}
        {(!isUnderWay(task.status) || task.waitingUntil) && (
          <li>
            <button type="button" className="menu-item" onClick={onRetry}>
              <Icon name="retry" />
              {WORDS.retry}
            </button>
          </li>
        )}
        {!isUnderWay(task.status) && (
          <li>
            <button type="button" className="menu-item" onClick={onDelete}>
              <Icon name="cross" />
              {WORDS.remove}
            </button>
          </li>
        )}
      </ul>
    </Sheet>
  )
}

function CopyLink() {
  const { copied, copy } = useCopy(location.href)
  return (
    <button type="button" className="menu-item" onClick={copy}>
      <Icon name={copied ? 'check' : 'copy'} />
      {copied ? WORDS.linkCopied : WORDS.copyLink}
    </button>
  )
}
