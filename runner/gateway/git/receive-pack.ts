export type RefUpdate = { oldId: string; newId: string; ref: string }

/** `more`: read on. `refused`: `why` is for a person. `whole`: the command list ends at byte `length`, and the pack follows. */
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
 * refuses everything but plain updates of allowed refs. It also refuses whatever git itself never sends: the two sides might read that
 * differently. An empty list is fine: git probes with it before a large push.
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
    // Capabilities follow the first update after a NUL; nothing else may.
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
 * True for a ref below the prefix, written in a few plain characters. git's own rule (`check-ref-format`) allows too much, such as
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

/** A report about a few refs is short; anything longer is not a report. */
const REPORT_BYTES = 64 * 1024

/**
 * Reads git's report-status from the answer of a push while it passes (git, `gitprotocol-pack`, "Report Status").
 * @param sideBand true when the push asked for `side-band-64k`: the report then comes in band 1, mixed with progress and errors
 */
export function createReportReader(sideBand: boolean) {
  let unread: Buffer = Buffer.alloc(0)
  let report: Buffer = Buffer.alloc(0)
  return {
    take: (bytes: Buffer): void => {
      if (!sideBand) {
        if (report.length < REPORT_BYTES) report = Buffer.concat([report, bytes])
        return
      }
      unread = Buffer.concat([unread, bytes])
      let at = 0
      for (let pkt = readPkt(unread, at); pkt.kind === 'line'; pkt = readPkt(unread, at)) {
        if (pkt.payload[0] === 1 && report.length < REPORT_BYTES) report = Buffer.concat([report, pkt.payload.subarray(1)])
        at = pkt.next
      }
      // No unit is longer than this, so more unread bytes are not from git and contain no report.
      unread = unread.length - at > REPORT_BYTES ? Buffer.alloc(0) : unread.subarray(at)
    },
    /** @returns the refs that the host says it has updated */
    accepted: (): string[] => {
      const lines = linesOf(report)
      return lines[0] === 'unpack ok' ? lines.flatMap((line) => (line.startsWith('ok ') ? [line.slice(3)] : [])) : []
    },
  }
}

function linesOf(report: Buffer): string[] {
  const lines: string[] = []
  for (let pkt = readPkt(report, 0); pkt.kind === 'line'; pkt = readPkt(report, pkt.next))
    lines.push(pkt.payload.toString('latin1').replace(/\n$/, ''))
  return lines
}

/**
 * One unit of git's wire format: four hexadecimal digits that count themselves and the payload (git, `gitprotocol-common`).
 * `more`: the bytes end within the unit. `bad`: git never writes this.
 */
type Pkt = { kind: 'line'; payload: Buffer; next: number } | { kind: 'flush'; next: number } | { kind: 'more' } | { kind: 'bad' }

/** The longest unit, its own four digits included. */
const MAX_LENGTH = 65_520

/** Reads the unit at `at`. Stricter than git: the digits must be in lower case, and a line must not be empty. */
function readPkt(bytes: Buffer, at: number): Pkt {
  if (bytes.length < at + 4) return { kind: 'more' }
  const digits = bytes.toString('latin1', at, at + 4)
  if (digits === '0000') return { kind: 'flush', next: at + 4 }
  if (!/^[0-9a-f]{4}$/.test(digits)) return { kind: 'bad' }
  const length = Number.parseInt(digits, 16)
  if (length <= 4 || length > MAX_LENGTH) return { kind: 'bad' }
  if (bytes.length < at + length) return { kind: 'more' }
  return { kind: 'line', payload: bytes.subarray(at + 4, at + length), next: at + length }
}
