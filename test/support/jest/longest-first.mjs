import Sequencer from '@jest/test-sequencer'

/** Files that take minutes. Begun last, one of them would keep a single core busy while the other waits. */
const LONGEST = [
  'scenes/scenes',
  'network/outage',
  'compose/compose',
  'network/offline',
  'flow/conversation',
  'model/model-faults',
  'screens/screens',
  'flow/kill',
  'flow/two-runners',
  'stack/start',
]

/** Jest knows how long a file takes only from a run before, which a fresh clone has not seen. */
export default class LongestFirst extends Sequencer {
  /** @param {Array<{ path: string }>} tests */
  sort(tests) {
    const rank = ({ path }) => LONGEST.findIndex((name) => path.endsWith(`${name}.test.ts`)) + 1 || LONGEST.length + 1
    return [...super.sort(tests)].sort((a, b) => rank(a) - rank(b))
  }
}
