import { memo } from 'react'
import { Note, Sentence } from '../../../design/feedback/states.tsx'
import { Icon } from '../../../design/icons/icon.tsx'
import { timeOf } from '../../../text/show.ts'
import type { ItemOf } from '../../model/feed-items.ts'
import type { FoldRow } from '../../model/feed-rows.ts'
import { duration, tokens } from '../../text/format.ts'
import { reasonText } from '../../text/reason-text.ts'
import { TASK_WORDS } from '../../text/words.ts'
import './small-rows.css'

/** The hosts that the sandbox could not reach, and what to do about it. */
export const BlockedHosts = memo(({ item }: { item: ItemOf<'blocked'> }) => (
  <Note mood="wait">
    {item.hosts.map(({ host, method, advice, times }) => (
      <div key={`${method} ${host}`} className="blocked">
        <Icon name="alert" size={16} />
        <div>
          <strong>{TASK_WORDS.blocked(method, host)}</strong> {TASK_WORDS.blockedTimes(times)}
          <p className="small">{advice}</p>
        </div>
      </div>
    ))}
  </Note>
))

export const Interrupted = memo(({ item }: { item: ItemOf<'interrupted'> }) => (
  <Note mood="wait">
    <div className="blocked">
      <Icon name={item.until ? 'clock' : 'retry'} size={16} />
      <div>
        <strong>{item.until ? TASK_WORDS.paused(timeOf(item.until)) : TASK_WORDS.interrupted}</strong>
        <p className="small">
          <Sentence text={item.until ? TASK_WORDS.pausedWhy : reasonText(item.reason)} />
        </p>
        {item.message && <p className="small">{item.message}</p>}
      </div>
    </div>
  </Note>
))

export const Compacted = memo(({ item }: { item: ItemOf<'compacted'> }) => (
  <p className="fact" title={TASK_WORDS.compactedWhy(item.bySummary)}>
    <Icon name="file" size={16} />
    {TASK_WORDS.compacted(tokens(item.beforeTokens), tokens(item.afterTokens))}
  </p>
))

/** Below a text that the agent was stopped in. */
export const CutText = memo(() => (
  <p className="fact">
    <Icon name="stop" size={16} />
    {TASK_WORDS.textCutOff}
  </p>
))

/** A note of Errand's own. */
export const Remark = memo(({ item }: { item: ItemOf<'note'> }) => (
  <Note mood="wait">
    <div className="blocked remark">
      <Icon name="alert" size={16} />
      <p className="small">{item.text}</p>
    </div>
  </Note>
))

export const Pushed = memo(({ item }: { item: ItemOf<'pushed'> }) => (
  <p className="fact">
    <Icon name="branch" size={16} />
    {TASK_WORDS.pushed(item.commit)}
  </p>
))

export const PullRequest = memo(({ item }: { item: ItemOf<'pull_request'> }) => (
  <p className="fact">
    <Icon name="external" size={16} />
    <a href={item.url} target="_blank" rel="noopener noreferrer">
      {TASK_WORDS.pullRequest(item.number)}
    </a>
  </p>
))

/** The work of a finished turn, as one line. */
export const TurnFold = memo(({ row, onToggle }: { row: FoldRow; onToggle: (turn: number) => void }) => (
  <div className="work">
    <button type="button" className="fold-line" aria-expanded={row.open} onClick={() => onToggle(row.turn)}>
      <Icon name={row.open ? 'down' : 'right'} size={16} />
      {TASK_WORDS.work.fold(row.durationMs === null ? '' : duration(row.durationMs), row.steps)}
    </button>
  </div>
))
