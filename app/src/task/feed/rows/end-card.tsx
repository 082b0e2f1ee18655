import { memo, type ReactNode } from 'react'
import type { Usage } from '../../../../../contract/api/event.ts'
import { addressOf } from '../../../../../contract/api/routes.ts'
import { Button, LinkButton } from '../../../design/controls/button.tsx'
import { Counts } from '../../../design/feedback/badges.tsx'
import { Sentence } from '../../../design/feedback/states.tsx'
import { Icon, type IconName } from '../../../design/icons/icon.tsx'
import type { ItemOf } from '../../model/feed-items.ts'
import { duration, money, tokens, visibleMarks } from '../../text/format.ts'
import { type Help, helpFor, reasonText } from '../../text/reason-text.ts'
import { TASK_WORDS } from '../../text/words.ts'
import { Branch, PullRequestLink } from './branch.tsx'
import './end-card.css'

const WORDS = TASK_WORDS.end
const ICONS: Record<string, IconName> = { completed: 'check', failed: 'alert', cancelled: 'stop' }

type Props = {
  taskId: string
  item: ItemOf<'end'>
  demo: boolean
  pullRequestUrl: string | null
  /** Opens the retry sheet; undefined on a turn that is not the last. */
  onRetry?: (() => void) | undefined
}

/** How a turn ended: its status, the reason, its result, its cost, and what to do now. */
export const EndCard = memo(({ taskId, item, demo, pullRequestUrl, onRetry }: Props) => {
  const { status, reason, message, branch, diff } = item
  return (
    <section className={`end ${status}`}>
      <h3>
        <Icon name={ICONS[status] ?? 'clock'} size={18} />
        {WORDS.status[status]}
      </h3>
      {reason !== 'done' && reason !== 'cancelled_by_user' && (
        <p>
          <Sentence text={reasonText(reason)} />
        </p>
      )}
      {message && (
        <p className="soft end-message" dir="auto">
          {visibleMarks(message)}
        </p>
      )}
      <Facts item={item} demo={demo} />
      {branch && <Branch name={branch} />}
      <div className="row">
        {diff && diff.files > 0 && (
          <LinkButton look={status === 'completed' ? 'main' : 'plain'} href={`/task/${taskId}/changes`}>
            {WORDS.openChanges}
          </LinkButton>
        )}
        {pullRequestUrl && <PullRequestLink url={pullRequestUrl} />}
        {onRetry && <HelpButtons taskId={taskId} item={item} onRetry={onRetry} />}
      </div>
    </section>
  )
})

function Facts({ item: { usage, durationMs, diff, isOwnAccount }, demo }: { item: ItemOf<'end'>; demo: boolean }) {
  // Without tokens there was no model call, so there is nothing to show.
  const spent = usage !== null && allRead(usage) + usage.outputTokens > 0
  return (
    <dl className="facts numbers">
      {durationMs !== null && <Fact name={WORDS.time}>{duration(durationMs)}</Fact>}
      {diff && (
        <Fact name={TASK_WORDS.changes.title}>
          {TASK_WORDS.changes.total(diff.files)} {diff.files > 0 && <Counts added={diff.insertions} removed={diff.deletions} />}
          {isOwnAccount && diff.files > 0 && <span className="soft small"> {TASK_WORDS.changes.ownNumbers}</span>}
        </Fact>
      )}
      {usage && spent && <Fact name={WORDS.cost}>{demo ? WORDS.demoCost : money(usage.costUsd)}</Fact>}
      {usage && spent && <Fact name={WORDS.tokens}>{WORDS.tokensOf(tokens(allRead(usage)), tokens(usage.outputTokens))}</Fact>}
    </dl>
  )
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  )
}

function allRead(usage: Usage): number {
  return usage.inputTokens + usage.cacheReadTokens + usage.cacheWriteTokens
}

function HelpButtons({ taskId, item, onRetry }: { taskId: string; item: ItemOf<'end'>; onRetry: () => void }) {
  return helpFor(item.reason).map((help) => <HelpButton key={help} help={help} taskId={taskId} onRetry={onRetry} />)
}

function HelpButton({ help, taskId, onRetry }: { help: Help; taskId: string; onRetry: () => void }) {
  if (help === 'credentials') return <LinkButton href="/settings">{TASK_WORDS.actions.credentials}</LinkButton>
  if (help === 'bundle')
    return (
      <a className="button plain" href={addressOf('downloadBundle', [taskId])} download>
        {TASK_WORDS.actions.bundle}
      </a>
    )
  return (
    <Button icon="retry" onClick={onRetry}>
      {help === 'retry' ? TASK_WORDS.actions.retry : TASK_WORDS.actions.retryBudget}
    </Button>
  )
}
