import { changeLast, type Draft } from './feed.ts'
import type { ItemOf } from './feed-items.ts'

/** A runner took the turn: the waiting checklist continues, or a new one begins. */
export function startAttempt(draft: Draft, attempt: number, runner: string, key: string): void {
  // A message withdrawn meanwhile stands below it.
  const last = draft.items.findLast((item) => item.kind === 'boot')
  if (last?.attempt !== 0 || last.stopped) draft.items.push(waitingBoot(draft, key))
  const nth = nthTry(draft)
  changeLast(draft, 'boot', (boot) => ({ ...boot, attempt, nth, runner, takenAt: draft.lastAt }))
}

/** The agent started, provided the repository is cloned: `turn.started` also comes after a failed clone. */
export function startAgent(draft: Draft): void {
  changeLast(draft, 'boot', (boot) => (boot.clonedAt === null ? boot : { ...boot, agentAt: draft.lastAt }))
}

/** Attempts are numbered over the whole task; a user counts the tries at their last request. */
function nthTry({ items, turn, turnStartedAt }: Draft): number | null {
  const tries = items.filter((item) => item.kind === 'boot' && item.turn === turn && item.attempt > 0).length
  // A wait for the model is no try.
  const earlier = tries - items.filter((item) => item.kind === 'interrupted' && item.turn === turn && item.until !== null).length
  return earlier > 0 && turnStartedAt === 0 ? null : earlier + 1
}

/** The checklist of a turn that no runner has taken yet. */
export function waitingBoot({ turn, lastAt }: Draft, key: string): ItemOf<'boot'> {
  return {
    kind: 'boot',
    key: `boot-${key}`,
    turn,
    attempt: 0,
    nth: 1,
    queuedAt: lastAt,
    takenAt: null,
    sandboxAt: null,
    clonedAt: null,
    agentAt: null,
    runner: '',
    baseBranch: '',
    resumed: false,
    stopped: false,
  }
}

/** Whether the turn has nothing but its checklist so far. */
export function isFresh({ items, turn }: Draft): boolean {
  const last = items.at(-1)
  return last?.kind === 'boot' && last.turn === turn && items.at(-2)?.turn !== turn
}

export function stopBoot(draft: Draft): void {
  changeLast(draft, 'boot', (boot) => (boot.agentAt === null ? { ...boot, stopped: true } : boot))
}
