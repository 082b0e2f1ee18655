import { describe, expect, it } from '@jest/globals'
import { judgePushes } from '../../../coordinator/attempts/earlier-pushes.ts'

describe('what earlier attempts pushed', () => {
  it.each([
    ['nothing', [], null],
    ['in the turn', [{ attempt: 2, commit: 'b', before: 'a' }], { commit: 'b', inTurn: true, turnBase: 'a' }],
    ['in the turn before', [{ attempt: 1, commit: 'a', before: null }], { commit: 'a', inTurn: false, turnBase: null }],
    [
      'twice in the turn',
      [
        { attempt: 1, commit: 'a', before: null },
        { attempt: 2, commit: 'c', before: 'b' },
        { attempt: 3, commit: 'd', before: 'c' },
      ],
      { commit: 'd', inTurn: true, turnBase: 'b' },
    ],
    [
      'by a version that did not note what was there before',
      [
        { attempt: 1, commit: 'a', before: undefined },
        { attempt: 2, commit: 'c', before: undefined },
      ],
      { commit: 'c', inTurn: true, turnBase: 'a' },
    ],
  ])('%s', (_what, pushes, found) => {
    expect(judgePushes(pushes, 2)).toEqual(found)
  })
})
