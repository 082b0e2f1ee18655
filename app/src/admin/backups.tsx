import type { Overview } from '../../../contract/api/overview.ts'
import { Note } from '../design/feedback/states.tsx'
import { Icon } from '../design/icons/icon.tsx'
import { ago } from '../text/show.ts'

/** Here and not with the other words: only this screen says them, and those are loaded at the start. */
const words = {
  last: (when: string) => `Last automatic backup: ${when}`,
  none: 'No automatic backup yet',
  failed: 'The automatic backup failed; it is tried again every hour.',
}

/** The automatic backups of this server, and why they fail. */
export function Backups({ lastAt, fault }: NonNullable<Overview['backups']>) {
  return (
    <Note mood={fault === null ? 'good' : 'bad'}>
      <p className="row">
        <Icon name={fault === null ? 'check' : 'alert'} size={18} />
        {lastAt === null ? words.none : words.last(ago(lastAt))}
      </p>
      {fault !== null && (
        <p className="small" dir="auto">
          {words.failed} {fault}
        </p>
      )}
    </Note>
  )
}
