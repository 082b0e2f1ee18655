import type { EventData } from '../../../../contract/api/event.ts'
import { wasCutOff } from '../../../../contract/api/tool-output.ts'
import { changeLast, type Draft } from './feed.ts'
import { planOf } from './feed-facts.ts'
import type { Call } from './feed-items.ts'

export function startCall(draft: Draft, attempt: number, data: EventData<'tool.started'>, key: string): void {
  const { callId, name, title, input } = data
  if (name === 'todo') {
    draft.plan = planOf(input) ?? draft.plan
    return
  }
  const call = { callId, attempt, name, title, input, startedAt: draft.lastAt, ended: null, cancelled: false }
  // A blocked host stands below the work that hit it and does not split that work in two.
  const at = draft.items.at(-1)?.kind === 'blocked' ? -2 : -1
  if (draft.items.at(at)?.kind === 'work') changeLast(draft, 'work', (work) => ({ ...work, calls: [...work.calls, call] }))
  else draft.items.push({ kind: 'work', key, turn: draft.turn, calls: [call] })
}

export function endCall(draft: Draft, ended: EventData<'tool.ended'>): void {
  if (ended.name === 'todo') return
  draft.activity = 'thinking'
  changeLast(draft, 'work', (work) => {
    const index = work.calls.findLastIndex(({ callId }) => callId === ended.callId)
    const call = work.calls[index]
    return call ? { ...work, calls: work.calls.with(index, { ...call, ended }) } : work
  })
}

/** The user cancelled the turn: calls that this cut off did not fail. */
export function cancelCalls(draft: Draft): void {
  const isCut = ({ ended, cancelled }: Call) => !cancelled && ended !== null && wasCutOff(ended)
  draft.items = draft.items.map((item) => {
    // 0: the turn's beginning is among the events that were not loaded.
    if (item.kind !== 'work' || (item.turn !== draft.turn && item.turn !== 0) || !item.calls.some(isCut)) return item
    return { ...item, calls: item.calls.map((call) => (isCut(call) ? { ...call, cancelled: true } : call)) }
  })
}

export function block(draft: Draft, { host, method, advice }: EventData<'host.blocked'>, key: string): void {
  const last = draft.items.at(-1)
  if (last?.kind !== 'blocked') {
    draft.items.push({ kind: 'blocked', key, turn: draft.turn, hosts: [{ host, method, advice, times: 1 }] })
    return
  }
  const known = last.hosts.findIndex((one) => one.host === host && one.method === method)
  const seen = last.hosts[known]
  const hosts = seen
    ? last.hosts.with(known, { ...seen, times: seen.times + 1 })
    : [...last.hosts, { host, method, advice, times: 1 }]
  changeLast(draft, 'blocked', (item) => ({ ...item, hosts }))
}
