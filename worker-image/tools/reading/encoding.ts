import { isUtf8 } from 'node:buffer'

/** How the bytes of a file become a text, and back. */
export type Encoding = {
  /** As people and `iconv` call it. */
  name: string
  /** Whether a text can be written back without a loss. */
  writable: boolean
  decode: (bytes: Buffer) => string
  encode: (text: string) => Buffer
}

const UTF8: Encoding = {
  name: 'UTF-8',
  writable: true,
  decode: (bytes) => bytes.toString('utf8'),
  encode: (text) => Buffer.from(text),
}
/** Each byte is one character, so that all others keep their bytes when one is changed. */
const LATIN1: Encoding = {
  name: 'ISO-8859-1',
  writable: true,
  decode: (bytes) => bytes.toString('latin1'),
  encode: (text) => Buffer.from(text, 'latin1'),
}

/** What Windows has in place of 32 control characters; Node's own decoder leaves them as they are. */
const WINDOWS = '€\u0081‚ƒ„…†‡ˆ‰Š‹Œ\u008dŽ\u008f\u0090‘’“”•–—˜™š›œ\u009džŸ'
const WINDOWS_1252: Encoding = {
  name: 'WINDOWS-1252',
  writable: true,
  decode: (bytes) => bytes.toString('latin1').replace(/[\u0080-\u009f]/g, (unit) => WINDOWS[unit.charCodeAt(0) - 0x80] ?? unit),
  encode: (text) =>
    Buffer.from(
      text.replace(/[\u0100-\uffff]/g, (unit) => String.fromCharCode(0x80 + WINDOWS.indexOf(unit))),
      'latin1',
    ),
}

/** Encodings of several bytes a character, in the order in which they are tried; Node knows them all. */
const DOUBLE_BYTE = ['shift_jis', 'euc-jp', 'gb18030', 'euc-kr', 'big5'] as const
/** Bytes of a Western text that are not ASCII mostly stand alone, those of other scripts side by side. */
const RUNS = 0.8

/** @returns the encoding that a text file has or seems to have; null for a binary file */
export function encodingOf(bytes: Buffer): Encoding | null {
  const mark = bytes.subarray(0, 2).toString('hex')
  if (mark === 'fffe') return readOnly('UTF-16LE')
  if (mark === 'feff') return readOnly('UTF-16BE')
  if (bytes.subarray(0, 8000).includes(0)) return null
  if (isUtf8(bytes)) return UTF8
  const sample = bytes.subarray(0, 100_000)
  const high = sample.filter((byte) => byte >= 0x80).length
  const inRuns = sample.filter(
    (byte, index) => byte >= 0x80 && ((sample[index - 1] ?? 0) >= 0x80 || (sample[index + 1] ?? 0) >= 0x80),
  )
  if (inRuns.length > high * RUNS) return readOnly(DOUBLE_BYTE.find((name) => decodes(name, bytes)) ?? 'windows-1251')
  // ISO-8859-1 has no characters there.
  return sample.some((byte) => byte >= 0x80 && byte < 0xa0) ? WINDOWS_1252 : LATIN1
}

export function isUtf8Text(encoding: Encoding): boolean {
  return encoding === UTF8
}

function readOnly(name: string): Encoding {
  const refuse = () => {
    throw new Error(`a text is not written as ${name}`)
  }
  return { name: name.toUpperCase(), writable: false, decode: (bytes) => new TextDecoder(name).decode(bytes), encode: refuse }
}

function decodes(name: string, bytes: Buffer): boolean {
  try {
    new TextDecoder(name, { fatal: true }).decode(bytes)
    return true
  } catch {
    return false
  }
}
