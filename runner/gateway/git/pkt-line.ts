/**
 * One unit of git's wire format: four hexadecimal digits that count themselves and the payload (git, `gitprotocol-common`).
 * `more`: the bytes end within it. `bad`: no git writes this.
 */
export type Pkt =
  | { kind: 'line'; payload: Buffer; next: number }
  | { kind: 'flush'; next: number }
  | { kind: 'more' }
  | { kind: 'bad' }

/** The longest unit, its own four digits included. */
const MAX_LENGTH = 65_520

/** Reads the unit at `at`. Stricter than git: the digits are in lower case, and a line is not empty. */
export function readPkt(bytes: Buffer, at: number): Pkt {
  if (bytes.length < at + 4) return { kind: 'more' }
  const digits = bytes.toString('latin1', at, at + 4)
  if (digits === '0000') return { kind: 'flush', next: at + 4 }
  if (!/^[0-9a-f]{4}$/.test(digits)) return { kind: 'bad' }
  const length = Number.parseInt(digits, 16)
  if (length <= 4 || length > MAX_LENGTH) return { kind: 'bad' }
  if (bytes.length < at + length) return { kind: 'more' }
  return { kind: 'line', payload: bytes.subarray(at + 4, at + length), next: at + length }
}
