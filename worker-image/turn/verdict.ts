import { cutText } from '../../contract/shared/characters.ts'
import { completed, type End } from '../../contract/wire/end.ts'
import type { SavedWork } from '../workspace/save-work.ts'

/** Pure. @returns how the turn ended: how the work ended, and whether it was saved */
export function finalEnd(end: End, saved: Pick<SavedWork, 'problem' | 'unfinished' | 'changed' | 'note'>): End {
  const { problem, unfinished, changed, note } = saved
  if (problem) {
    // A cancel stays a cancel. Any other end would promise a branch that does not exist.
    if (end.outcome === 'cancelled') return { ...end, message: joined(problem.message, note) }
    return { ...problem, message: joined(problem.message, end.outcome === 'failed' ? end.message : null, note) }
  }
  if (end.outcome === 'completed' && unfinished) return { ...unfinished, message: joined(unfinished.message, note) }
  if (end.outcome === 'completed') return changed ? { ...end, message: joined(end.message, note) } : completed('no_changes', note)
  return { ...end, message: joined(end.message, note) }
}

/**
 * Pure. The subject is the first line of the model's last words, as the system text asks; for unfinished work, the task's first line.
 * @param summary the model's last words
 */
export function commitMessage(summary: string, prompt: string, end: End): string {
  const done = end.outcome === 'completed'
  const lines = (done && summary.trim() ? summary : prompt).trim().split('\n')
  const first = (lines[0] ?? '').replace(/^[#*\s]+|[*\s]+$/g, '')
  const subject = cut(first, done ? 72 : 60) || 'Work of the agent'
  if (!done) return `${subject} (unfinished)\n\nThe turn ended early: ${end.reason}.`
  const body = lines.slice(1).join('\n').trim()
  const whole = first.length > subject.length ? `${first}\n\n${body}` : body
  return whole.trim() ? `${subject}\n\n${cutText(whole.trim(), 10_000)}` : subject
}

function cut(line: string, max: number): string {
  if (line.length <= max) return line
  const piece = cutText(line, max - 1, '')
  const border = piece.lastIndexOf(' ')
  return `${border > max / 2 ? piece.slice(0, border) : piece}…`
}

function joined(...parts: ReadonlyArray<string | null>): string | null {
  return parts.filter(Boolean).join(' ') || null
}
