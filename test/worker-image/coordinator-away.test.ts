import { buffer } from 'node:stream/consumers'
import { afterEach, describe, expect, it } from '@jest/globals'
import { waitFor } from '../support/checks/wait.ts'
import { refsOf } from '../support/outside/git-server.ts'
import { type Errand, endOf, startErrand } from './errand.ts'
import { answer, call, inTurn, text } from './policies.ts'

let errand: Errand
/** What the coordinator says when it is asked; null while it is away. */
let word: boolean | null
let asked: number
let onAsked: () => void
let stopped: boolean
let keptHere: Buffer | null
afterEach(() => errand.stop())

/** More than the tries that a push, or a model call, has. */
const OFTEN = 12

async function start(options: { first?: boolean | null; leaseRunsOut?: number } = {}) {
  ;[word, asked, stopped, keptHere] = [options.first === undefined ? true : options.first, 0, false, null]
  onAsked = () => undefined
  let held = options.leaseRunsOut ?? 0
  errand = await startErrand({
    policy: inTurn(answer(call('write', { file_path: 'new.txt', content: 'whole\n' })), answer(text('Write it\n\nWritten.'))),
    gateway: {
      confirmLease: async () => {
        asked += 1
        onAsked()
        if (word === null) throw new Error('away')
        return word
      },
      awaitLease: async () => held-- <= 0,
      keepWork: () => {
        if (!stopped) return null
        return async (bundle) => {
          keptHere = await buffer(bundle)
        }
      },
    },
  })
}
async function branch() {
  return (await refsOf(errand.origin))[`refs/heads/${errand.assignment.branch}`]
}
function failures() {
  return errand.log.filter((line) => /failed|lost/.test(line))
}

describe('a coordinator that is away when a turn ends', () => {
  it('is waited for, and costs no try: the work is pushed, everything is kept, and the turn is completed', async () => {
    await start({ first: null })
    onAsked = () => {
      if (asked > OFTEN) word = true
    }
    expect(endOf(await errand.run())).toMatchObject({ outcome: 'completed', reason: 'done', message: null, diff: { files: 1 } })
    expect(await branch()).toBeDefined()
    expect([...errand.door.artifacts.keys()]).toEqual(['transcript'])
    expect(failures()).toEqual([])
  })

  it('is waited for also when it goes away between the push and what is kept', async () => {
    await start()
    let since = 0
    onAsked = () => {
      if (since === 0 && errand.door.said.some(({ type }) => type === 'branch.pushed')) [since, word] = [asked, null]
      if (since > 0 && asked > since + OFTEN) word = true
    }
    expect(endOf(await errand.run())).toMatchObject({ outcome: 'completed', reason: 'done' })
    expect([since > 0, await branch()]).toEqual([true, expect.any(String)])
    expect(failures()).toEqual([])
  })

  it('may say at last that the attempt is over: nothing is pushed', async () => {
    await start({ first: null })
    onAsked = () => {
      if (asked > OFTEN) word = false
    }
    expect(endOf(await errand.run())).toMatchObject({ outcome: 'interrupted', reason: 'runner_lost' })
    expect([await branch(), [...errand.door.artifacts.keys()]]).toEqual([undefined, []])
  })

  it('leaves the work on the runner’s host when the sandbox is stopped meanwhile, and the end says the truth', async () => {
    await start({ first: null })
    const running = errand.run()
    await waitFor('it to wait', () => asked > OFTEN)
    stopped = true
    errand.cancel()
    const end = endOf(await running)
    expect(end).toMatchObject({ outcome: 'interrupted', reason: 'coordinator_away', message: expect.stringContaining('bundle') })
    expect(String(keptHere?.subarray(0, 20))).toContain('git bundle')
    expect(await branch()).toBeUndefined()
  })

  it('is waited for before money is spent, which costs no try either', async () => {
    await start({ leaseRunsOut: OFTEN })
    expect(endOf(await errand.run())).toMatchObject({ outcome: 'completed', reason: 'done' })
    expect(asked).toBeGreaterThan(OFTEN)
  })
})
