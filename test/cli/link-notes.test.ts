import { stripVTControlCharacters } from 'node:util'
import { describe, expect, it } from '@jest/globals'
import { encode } from 'uqr'
import { linkNotes, qrCode } from '../../cli/show/link-notes.ts'

const URL = `https://errand.example.org/auth/link?code=${'x'.repeat(43)}`
const link = { url: URL, expiresAt: '2026-11-27T05:00:00.000Z' }
const WIDE = { isTTY: true, columns: 120 }

/** Reads lines of half blocks back into rows of modules, dark ones being true. */
function modulesIn(lines: readonly string[], inkIsDark: boolean): boolean[][] {
  return lines.flatMap((line) => {
    const columns = [...line]
    return ['▀█', '▄█'].map((inks) => columns.map((column) => inks.includes(column) === inkIsDark))
  })
}
const BLACK_ON_WHITE = '\x1b[38;5;16;48;5;231m'

describe('the QR code in a terminal', () => {
  it('is dark on light by its own colours, with the light border that readers ask for', () => {
    const { data, size } = encode(URL, { border: 4 })
    const lines = qrCode(URL, true)
    for (const line of lines) expect(line.startsWith(BLACK_ON_WHITE)).toBe(true)
    const read = modulesIn(lines.map(stripVTControlCharacters), true)
    expect(read.slice(0, size)).toEqual(data)
    expect(data[3]?.some(Boolean)).toBe(false)
    expect(data[4]?.some(Boolean)).toBe(true)
    // The half line that is too much is light.
    expect(read.slice(size).flat().some(Boolean)).toBe(false)
  })

  it('is made for light text on dark where colours are not to be had', () => {
    const { data, size } = encode(URL, { border: 4 })
    const lines = qrCode(URL, false)
    expect(modulesIn(lines, false).slice(0, size)).toEqual(data)
    expect(lines.join('')).toMatch(/^[ ▀▄█]+$/)
  })
})

describe('what goes with a sign-in link', () => {
  it('is its QR code, when other devices can open it', () => {
    expect(linkNotes({ ...link, onlyHere: null }, WIDE, {})).toEqual(qrCode(URL, true))
    for (const environment of [{ TERM: 'dumb' }, { NO_COLOR: '1' }])
      expect(linkNotes({ ...link, onlyHere: null }, WIDE, environment)).toEqual(qrCode(URL, false))
    expect(linkNotes({ ...link, onlyHere: null }, {}, {})).toEqual(qrCode(URL, false))
  })

  it('is no code where the terminal would break its lines', () => {
    const width = qrCode(URL, false)[0]?.length ?? 0
    expect(linkNotes({ ...link, onlyHere: null }, { isTTY: true, columns: width - 1 }, {})).toEqual([])
    expect(linkNotes({ ...link, onlyHere: null }, { isTTY: true, columns: width }, {})).toEqual(qrCode(URL, true))
  })

  it('is why it opens on one machine alone, and what to set so that a phone opens it', () => {
    const settings = ['ERRAND_HOST=0.0.0.0', 'ERRAND_PUBLIC_URL=http://192.168.1.5:3000']
    const notes = (reachable: boolean) =>
      linkNotes({ ...link, onlyHere: { phoneUrl: 'http://192.168.1.5:3000', reachable, settings } }, WIDE, {}).join('\n')
    expect(notes(false)).toMatch(
      /opens only on the machine .*http:\/\/192\.168\.1\.5:3000 from a phone.*\n {2}ERRAND_HOST=0\.0\.0\.0\n {2}ERRAND_PUBLIC_URL=http:\/\/192\.168\.1\.5:3000\n.*https:\/\//s,
    )
    expect(notes(false)).not.toMatch(/live updates|[▀▄█]/)
    expect(notes(true)).toMatch(
      /Other devices can reach the server, but ERRAND_PUBLIC_URL names no address for them.*live updates/,
    )
  })

  it('is nothing from a server that does not say who can open it', () => {
    expect(linkNotes(link, WIDE, {})).toEqual([])
  })
})
