import { completed, type End } from '../../contract/wire/end.ts'
import type { SavedWork } from '../workspace/save-work.ts'

/** Pure. @returns how the turn ended, all in all: the model's part, and whether its work came out */
export function finalEnd(end: End, delivery: Pick<SavedWork, 'problem' | 'changed' | 'note'>): End {
  const { problem, changed, note } = delivery
  if (problem) {
    // A person's cancel stays one; everything else would promise a branch that is not there.
    if (end.outcome === 'cancelled') return { ...end, message: problem.message }
    return { ...problem, message: joined(problem.message, end.outcome === 'failed' ? end.message : null) }
  }
  if (end.outcome === 'completed') return changed ? { ...end, message: joined(end.message, note) } : completed('no_changes', note)
  return { ...end, message: joined(end.message, note) }
}

/**
 * Pure. The model's first line is the subject, as it was told; without one, the task's own first line, and how it ended.
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
  return whole.trim() ? `${subject}\n\n${whole.trim().slice(0, 10_000)}` : subject
}

function cut(line: string, max: number): string {
  if (line.length <= max) return line
  const piece = line.slice(0, max - 1)
  const border = piece.lastIndexOf(' ')
  return `${border > max / 2 ? piece.slice(0, border) : piece}…`
}

function joined(...parts: ReadonlyArray<string | null>): string | null {
  return parts.filter(Boolean).join(' ') || null
}
