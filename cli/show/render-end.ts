import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { TaskEvent, Usage } from '../../contract/api/event.ts'
import type { Reason } from '../../contract/api/reason.ts'
import { textOfReason } from '../../contract/api/reason-texts.ts'
import { DEMO_COST, STATUS_WORDS } from '../../contract/api/status-words.ts'
import type { Server } from '../server/find-server.ts'
import { clean, count, demoMark, duration, type Format, type Look, money, paint, wrap } from './layout.ts'
import type { View } from './view.ts'

type Ended = Extract<TaskEvent, { type: 'task.ended' }>

/** The report at the end of a task: outcome, the agent's summary, and the result. */
export function renderEnd(view: View, { data, at }: Ended, look: Look): string[] {
  const { turn, usage, created, createdAt } = view
  const [mark, format] = MARKS[data.status] ?? ['•', 'bold']
  const word = STATUS_WORDS[data.status].toLowerCase() + (data.reason === 'no_changes' ? ', nothing changed' : '')
  const demo = created?.demo ? ` ${demoMark(look)}` : ''
  const words = data.status === 'completed' ? clean(data.message ?? turn?.message ?? '') : plainReason(data)
  const reason = words === '' ? [] : wrap(words, look.width - 2).map((line) => `  ${line}`)
  const summary = clean(turn?.summary ?? '').trim()
  const isNew = summary !== '' && summary !== clean(view.lastText).trim()
  const diff = turn?.diff
  const facts: [string, string][] = [
    ...(data.branch ? [['branch', clean(data.branch)] as [string, string]] : []),
    ...(diff && diff.files > 0
      ? [
          [
            'changes',
            `${count(diff.files, 'file')}, ${paint(look, 'green', `+${diff.insertions}`)} ${paint(look, 'red', `−${diff.deletions}`)}${turn.commit === null ? paint(look, 'dim', " (the agent's own account)") : ''}`,
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

/** The next steps, as commands to copy. */
export function nextSteps({ taskId, created, end }: View, server: Server, look: Look): string[] {
  const steps: [string, string][] = []
  if (end?.branch) {
    steps.push(['patch', `errand diff ${taskId}`])
    steps.push(...checkout(clean(end.branch), created?.repoUrl ?? '', server))
  }
  if (created && (end?.reason === 'credentials_refused' || end?.reason === 'repository_not_found'))
    steps.push(['access', `errand credentials set ${clean(new URL(created.repoUrl).host)} < token.txt`])
  if (end?.reason === 'push_refused') steps.push(['bundle', `errand bundle ${taskId} > work.bundle`])
  return steps.length === 0
    ? ['']
    : ['', ...steps.map(([what, command]) => `  ${paint(look, 'dim', what.padEnd(8))} ${paint(look, 'cyan', command)}`), '']
}

/** The demo repository needs credentials over HTTP, but on the server's machine the data folder has it. */
function checkout(branch: string, repoUrl: string, { url, dataDir }: Server): [string, string][] {
  if (!repoUrl.startsWith(`${url}/demo/`)) return [['checkout', `git fetch origin ${branch} && git switch ${branch}`]]
  const repository = dataDir && join(dataDir, 'demo', 'hello.git')
  return repository && existsSync(repository) ? [['checkout', `git clone -b ${branch} ${repository} hello`]] : []
}

/** The task's reason and message in plain words. */
export function plainReason({ reason, message }: { reason: Reason; message: string | null }): string {
  return clean([textOfReason(reason) || reason, message].filter(Boolean).join(' '))
}

const MARKS: Readonly<Record<string, [string, Format]>> = {
  completed: ['✓', 'green'],
  failed: ['✗', 'red'],
  cancelled: ['■', 'yellow'],
}

function tokens({ inputTokens, cacheReadTokens, cacheWriteTokens, outputTokens }: Usage): string {
  const read = inputTokens + cacheReadTokens + cacheWriteTokens
  const cached = cacheReadTokens > 0 ? ` (${Math.round((cacheReadTokens / read) * 100)}% from the cache)` : ''
  return `${count(read, 'token')} in${cached} · ${outputTokens.toLocaleString('en')} out`
}
