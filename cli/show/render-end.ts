import type { TaskEvent, Usage } from '../../contract/api/event.ts'
import { REASONS } from '../../contract/api/reason.ts'
import { DEMO_COST, STATUS_WORDS } from '../../contract/api/status-words.ts'
import { clean, count, demoMark, duration, type Format, type Look, money, paint, wrap } from './layout.ts'
import type { View } from './view.ts'

type Ended = Extract<TaskEvent, { type: 'task.ended' }>

/** The account at the end of a task: how it went, what the agent says of it, and what came out. */
export function renderEnd(view: View, { data, at }: Ended, look: Look): string[] {
  const { turn, usage, created, createdAt } = view
  const [mark, format] = MARKS[data.status] ?? ['•', 'bold']
  const word = STATUS_WORDS[data.status].toLowerCase() + (data.reason === 'no_changes' ? ', nothing changed' : '')
  const demo = created?.demo ? ` ${demoMark(look)}` : ''
  const reason = data.status === 'completed' ? [] : wrap(plainReason(data), look.width - 2).map((line) => `  ${line}`)
  const summary = clean(turn?.summary ?? '').trim()
  const isNew = summary !== '' && summary !== clean(view.lastText).trim()
  const diff = turn?.diff
  const facts: [string, string][] = [
    ...(data.branch ? [['branch', clean(data.branch)] as [string, string]] : []),
    ...(diff && diff.files > 0
      ? [
          [
            'changes',
            `${count(diff.files, 'file')}, ${paint(look, 'green', `+${diff.insertions}`)} ${paint(look, 'red', `−${diff.deletions}`)}`,
          ] as [string, string],
        ]
      : []),
    ['cost', `${created?.demo ? DEMO_COST : money(usage.costUsd)}  ${paint(look, 'dim', tokens(usage))}`],
    ['time', duration(Date.parse(at) - createdAt)],
  ]
  return [
    '',
    `${paint(look, ['bold', format], `${mark} ${word}`)}${demo}`,
    ...reason,
    ...(isNew ? ['', ...wrap(summary, look.width - 2).map((line) => `  ${line}`)] : []),
    '',
    ...facts.map(([name, value]) => `  ${paint(look, 'dim', name.padEnd(8))} ${value}`),
  ]
}

/** What is in the task's reason and message, in plain words. */
export function plainReason({ reason, message }: { reason: keyof typeof REASONS; message: string | null }): string {
  return clean([REASONS[reason] ?? reason, message].filter(Boolean).join(' '))
}

const MARKS: Readonly<Record<string, [string, Format]>> = {
  completed: ['✓', 'green'],
  failed: ['✗', 'red'],
  cancelled: ['■', 'yellow'],
}

function tokens({ inputTokens, cacheReadTokens, cacheWriteTokens, outputTokens }: Usage): string {
  const read = inputTokens + cacheReadTokens + cacheWriteTokens
  const cached = cacheReadTokens > 0 ? ` (${Math.round((cacheReadTokens / read) * 100)}% from the cache)` : ''
  return `${count(read, 'token')} read${cached}, ${outputTokens.toLocaleString('en')} written`
}
