import type { TaskStatus } from '../../../../contract/api/status.ts'
import { words } from '../../text/words.ts'
import { Icon, type IconName } from '../icons/icon.tsx'
import './badges.css'

const ICONS: Readonly<Record<TaskStatus, IconName>> = {
  pending: 'clock',
  running: 'play',
  completed: 'check',
  failed: 'alert',
  cancelled: 'stop',
}

/** The status of a task: an icon, a colour and always the word. */
export function StatusBadge({ status }: { status: TaskStatus }) {
  return (
    <span className={`status ${status}`}>
      {status === 'running' ? <span className="status-pulse" aria-hidden="true" /> : <Icon name={ICONS[status]} size={14} />}
      {words.status[status]}
    </span>
  )
}

/** Added and removed lines, marked by sign as well as by colour. */
export function Counts({ added, removed }: { added: number; removed: number }) {
  return (
    <span className="counts numbers">
      <span className="good">+{added}</span> <span className="bad">−{removed}</span>
    </span>
  )
}
