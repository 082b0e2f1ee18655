import { describe, expect, it } from '@jest/globals'
import { roomIn } from '../../../app/src/design/room.ts'

const whole = { offsetTop: 0, scale: 1 }

describe('the room on a screen', () => {
  it('is all of it without a keyboard', () => {
    expect(roomIn({ pageHeight: 568, seen: { height: 568, ...whole } })).toEqual({ isLow: false, coveredPx: 0 })
  })

  it('is little where the keyboard shrinks the page, as on Android, and where it lies over it, as on iOS', () => {
    expect(roomIn({ pageHeight: 308, seen: { height: 308, ...whole } })).toEqual({ isLow: true, coveredPx: 0 })
    expect(roomIn({ pageHeight: 568, seen: { height: 308, ...whole } })).toEqual({ isLow: true, coveredPx: 260 })
    expect(roomIn({ pageHeight: 568, seen: { height: 308, offsetTop: 100, scale: 1 } }).coveredPx).toBe(160)
  })

  it('is not less for somebody who zooms in', () => {
    expect(roomIn({ pageHeight: 568, seen: { height: 284, offsetTop: 40, scale: 2 } })).toEqual({ isLow: false, coveredPx: 0 })
  })
})
