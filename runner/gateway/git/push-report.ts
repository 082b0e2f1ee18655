import { readPkt } from './pkt-line.ts'

/** A report about a few refs is short; what is longer is not one. */
const REPORT_BYTES = 64 * 1024

/**
 * Reads git's report-status beside the bytes of a push's answer (git, `gitprotocol-pack`, "Report Status").
 * @param sideBand true when the push asked for `side-band-64k`: the report then comes in band 1, among progress and errors
 */
export function openPushReport(sideBand: boolean) {
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
      // A unit is never longer than this, so more unread bytes are not git's and hold no report.
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
