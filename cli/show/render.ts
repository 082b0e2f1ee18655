import type { EventData, TaskEvent } from '../../contract/api/event.ts'
import { MODEL_WAITS } from '../../contract/api/reason-texts.ts'
import { clean, clip, demoMark, duration, type Look, money, paint, timeOfDay, wrap } from './layout.ts'
import { plainReason, renderEnd } from './render-end.ts'
import { renderTool } from './render-tool.ts'
import type { View } from './view.ts'

/**
 * The lines that an event adds to what a person reads; none for what only machines want to know.
 * @param view what was known before the event
 */
export function renderEvent(view: View, event: TaskEvent, look: Look): string[] {
  const sinceMs = Date.parse(event.at) - view.at
  switch (event.type) {
    case 'task.created':
      return []
    case 'message.received':
      if (event.data.mode) return ['', ...quote(event.data.text, look), WAITS[event.data.mode], '']
      return ['', ...prompt(view, event.data, look), '']
    case 'message.delivered':
      return delivered(view, event.data, look)
    case 'message.withdrawn':
      return [paint(look, 'dim', `  withdrawn: ${clip(clean(view.waiting.get(event.data.messageId) ?? ''), look.width - 14)}`)]
    case 'attempt.started':
      return view.interrupted
        ? [`${paint(look, 'yellow', '↻')} attempt ${event.attempt}, on ${clean(event.data.runner)}`]
        : [done(look, `picked up by ${clean(event.data.runner)}`, sinceMs)]
    case 'sandbox.ready':
      return [done(look, 'sandbox ready', sinceMs)]
    case 'repo.cloned':
      return [done(look, cloned(event.data), sinceMs), '']
    case 'text.written':
      return event.data.text === view.lastText ? [] : ['', ...written(event.data, look), '']
    case 'note.written':
      return warning(look, clean(event.data.text))
    case 'tool.ended': {
      const started = view.openTools.find((tool) => tool.callId === event.data.callId)
      return renderTool(started?.title ?? event.data.name, started?.input, event.data, look)
    }
    case 'host.blocked':
      return warning(look, `blocked: ${clean(event.data.method)} ${clean(event.data.host)}. ${clean(event.data.advice)}`)
    case 'context.compacted':
      return [done(look, summarised(event.data), null)]
    case 'model.waiting':
      return view.modelWait ? [] : warning(look, waiting(event.data, event.at))
    case 'model.resumed':
      return event.data.answered ? [done(look, 'the model answers again', event.data.waitedMs)] : []
    case 'branch.pushed':
      return [done(look, `pushed ${clean(event.data.branch)}@${short(event.data.commit)}`, null)]
    case 'pull_request.opened':
      return [done(look, `pull request #${event.data.number}: ${clean(event.data.url)}`, null)]
    case 'attempt.ended':
      return event.data.outcome === 'interrupted' ? ['', ...warning(look, interruption(event))] : []
    case 'task.ended':
      return renderEnd(view, event, look)
    default:
      return []
  }
}

function written({ text, cutOff }: EventData<'text.written'>, look: Look): string[] {
  return [...prose(text, look), ...(cutOff ? [paint(look, 'dim', '■ stopped here, in the middle of the answer')] : [])]
}

/** The agent's own words, with what stands in backquotes set off. */
function prose(text: string, look: Look): string[] {
  return wrap(clean(text).trim(), look.width).map((line) => line.replace(/`[^`]+`/g, (code) => paint(look, 'cyan', code)))
}

const WAITS = { steer: '  queued: delivered after the current step', queue: '  queued: runs as the next turn' } as const

function quote(text: string, look: Look): string[] {
  return wrap(clean(text).trim(), look.width - 2).map(
    (line, i) => `${i === 0 ? paint(look, 'cyan', '›') : ' '} ${paint(look, 'bold', line)}`,
  )
}

/** What begins a turn stands there again: much may have happened since it was sent. */
function delivered(view: View, { messageId, turn }: EventData<'message.delivered'>, look: Look): string[] {
  const text = view.waiting.get(messageId) ?? ''
  if (view.end) return ['', ...quote(text, look), '']
  return [done(look, `delivered to turn ${turn}: ${clean(text).replaceAll('\n', ' ')}`, null)]
}

function prompt({ created }: View, { text, turn }: EventData<'message.received'>, look: Look): string[] {
  const words = quote(text, look)
  if (!created || turn > 1) return words
  const facts = [
    clean(created.repoUrl),
    clean(created.baseBranch ?? ''),
    ...(created.demo
      ? []
      : [created.model, ...(created.effort ? [`${created.effort} effort`] : []), `at most ${money(created.budgetUsd)}`]),
  ]
  const lines = wrap(facts.filter(Boolean).join(' · '), look.width - 2).map((line) => `  ${paint(look, 'dim', line)}`)
  const demo = created.demo
    ? [`  ${demoMark(look)} ${paint(look, 'magenta', 'the built-in demo model does the work, not Claude')}`]
    : []
  return [...words, ...lines, ...demo]
}

function cloned({ baseBranch, commit, branch, resumed }: EventData<'repo.cloned'>): string {
  return resumed
    ? `cloned ${clean(branch)}@${short(commit)}, continuing from there`
    : `cloned ${clean(baseBranch)}@${short(commit)} for ${clean(branch)}`
}

function waiting({ reason, until }: EventData<'model.waiting'>, at: string): string {
  return `${MODEL_WAITS[reason]} Trying again in ${duration(Math.max(1_000, Date.parse(until) - Date.parse(at)))}.`
}

function interruption({ taskId, data }: Extract<TaskEvent, { type: 'attempt.ended' }>): string {
  if (data.until === undefined) return `interrupted: ${plainReason(data)}`
  const why = plainReason(data)
  return `${/[.!?]$/.test(why) ? why : `${why}.`} It goes on at ${timeOfDay(Date.parse(data.until))}; to try now: errand retry ${taskId}`
}

function summarised({ beforeTokens, afterTokens }: EventData<'context.compacted'>): string {
  const thousands = (tokens: number) => `${Math.ceil(tokens / 1000)}k`
  return `conversation summarised: about ${thousands(beforeTokens)} tokens before, ${thousands(afterTokens)} after`
}

function done(look: Look, what: string, tookMs: number | null): string {
  const time = tookMs === null ? '' : `  ${duration(tookMs)}`
  return `${paint(look, 'green', '✓')} ${clip(what, look.width - 2 - time.length)}${paint(look, 'dim', time)}`
}

/** What a person should notice. */
export function warning(look: Look, text: string): string[] {
  return wrap(text, look.width - 2).map(
    (line, i) => `${i === 0 ? paint(look, 'yellow', '!') : ' '} ${paint(look, 'yellow', line)}`,
  )
}

function short(commit: string): string {
  return clean(commit).slice(0, 7)
}
