import { readPkt } from './pkt-line.ts'

export type RefUpdate = { oldId: string; newId: string; ref: string }

/** `more`: read on. `refused`: for a person. `whole`: the command list ends at byte `length`; after it comes the pack. */
export type Commands =
  | { state: 'more' }
  | { state: 'refused'; why: string }
  | { state: 'whole'; length: number; updates: RefUpdate[]; capabilities: string[] }

/** The command list of one push, bytes. */
const COMMAND_LIST_BYTES = 64 * 1024
const MAX_UPDATES = 8

const UPDATE = /^([0-9a-f]{40}|[0-9a-f]{64}) ([0-9a-f]{40}|[0-9a-f]{64}) ([^ ]+)$/
const SHALLOW = /^shallow ([0-9a-f]{40}|[0-9a-f]{64})$/

/**
 * Reads what a push asks for (git, `gitprotocol-pack`, "Reference Update Request") from the beginning of a `git-receive-pack` body, and
 * refuses whatever is not a plain update of allowed refs. Anything that git itself never sends is refused too: what the two sides might
 * read differently must not get through. An empty list is fine: git probes with it before a large push.
 * @param refPrefix full ref prefix, ending in `/`; every ref of the list must be below it
 */
export function readCommands(bytes: Buffer, refPrefix: string): Commands {
  const updates: RefUpdate[] = []
  let capabilities: string[] = []
  for (let at = 0; ; ) {
    const pkt = readPkt(bytes, at)
    if (pkt.kind === 'more') return bytes.length < COMMAND_LIST_BYTES ? { state: 'more' } : refused('too long')
    if (pkt.kind === 'bad') return refused('not in the form that git sends')
    if (pkt.next > COMMAND_LIST_BYTES) return refused('too long')
    if (pkt.kind === 'flush') {
      const mute = updates.length > 0 && !capabilities.some((name) => name === 'report-status' || name === 'report-status-v2')
      return mute ? refused('without report-status') : { state: 'whole', length: pkt.next, updates, capabilities }
    }
    at = pkt.next
    const line = pkt.payload.toString('latin1').replace(/\n$/, '')
    if (updates.length === 0 && SHALLOW.test(line)) continue
    // Capabilities follow the first update behind a NUL, and nothing else does.
    const [command = '', features, ...others] = line.split('\0')
    if (others.length > 0 || (features !== undefined && updates.length > 0)) return refused('not in the form that git sends')
    if (features !== undefined) capabilities = features.split(' ').filter(Boolean)
    if (capabilities.includes('push-options')) return refused('with push options')
    const [, oldId = '', newId = '', ref = ''] = UPDATE.exec(command) ?? []
    if (ref === '' || oldId.length !== newId.length) return refused('not in the form that git sends')
    if (/^0+$/.test(newId)) return refused('to delete a branch')
    if (!isAllowedRef(ref, refPrefix)) return refused(`to ${shown(ref)}`, refPrefix)
    if (updates.push({ oldId, newId, ref }) > MAX_UPDATES) return refused(`of more than ${MAX_UPDATES} branches`)
  }
}

/**
 * A ref below the prefix, written with a few plain characters. git's own rule (`check-ref-format`) allows more than is good here, such as
 * `refs/heads/-x` and `refs/heads/HEAD`.
 */
export function isAllowedRef(ref: string, refPrefix: string): boolean {
  return (
    ref.length <= 200 &&
    refPrefix.endsWith('/') &&
    ref.startsWith(refPrefix) &&
    ref
      .slice(refPrefix.length)
      .split('/')
      .every((part) => /^[A-Za-z0-9_][A-Za-z0-9._-]*$/.test(part) && !/\.\.|\.lock$|\.$/.test(part))
  )
}

function refused(what: string, refPrefix?: string): Commands {
  return {
    state: 'refused',
    why: refPrefix
      ? `A push ${what} is refused: this task may push only below ${refPrefix.replace('refs/heads/', '')}.`
      : `A push ${what} is refused.`,
  }
}

function shown(ref: string): string {
  return ref.replace(/[^\w./-]/g, '?').slice(0, 200)
}
