import { describe, expect, it } from '@jest/globals'
import { visibleArea } from '../../../app/src/device/visible-area.ts'

const whole = { offsetTop: 0, scale: 1 }

describe('the visible area of the screen', () => {
  it('is the whole page without a keyboard', () => {
    expect(visibleArea({ pageHeight: 568, seen: { height: 568, ...whole } })).toEqual({ isLow: false, coveredPx: 0 })
  })

  it('is low when the keyboard shrinks the page, as on Android, or covers it, as on iOS', () => {
    expect(visibleArea({ pageHeight: 308, seen: { height: 308, ...whole } })).toEqual({ isLow: true, coveredPx: 0 })
    expect(visibleArea({ pageHeight: 568, seen: { height: 308, ...whole } })).toEqual({ isLow: true, coveredPx: 260 })
    expect(visibleArea({ pageHeight: 568, seen: { height: 308, offsetTop: 100, scale: 1 } }).coveredPx).toBe(160)
  })

  it('does not shrink when the user zooms in', () => {
    expect(visibleArea({ pageHeight: 568, seen: { height: 284, offsetTop: 40, scale: 2 } })).toEqual({
      isLow: false,
      coveredPx: 0,
    })
  })
})
