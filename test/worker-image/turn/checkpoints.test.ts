import { afterEach, describe, expect, it } from '@jest/globals'
import { LIMITS } from '../../../contract/api/limits.ts'
import type { AgentEvent } from '../../../contract/wire/sandbox.ts'
import type { Hands } from '../../../worker-image/hands/hands.ts'
import { type Checkpoints, openCheckpoints } from '../../../worker-image/turn/checkpoints.ts'
import { waitFor } from '../../support/checks/wait.ts'

const WORKSPACE = {
  baseBranch: 'main',
  base: 'b'.repeat(40),
  branch: 'errand/T1/work',
  remoteCommit: null,
  resumed: false,
  turnBase: 'b'.repeat(40),
}
const COMMIT = 'c'.repeat(40)

let checkpoints: Checkpoints | null = null
afterEach(() => checkpoints?.close())

type Made = { key: string; commit: string; bytes: number } | null

/** @param makes what the hands make of the work tree, one after another; the last again and again */
function open(makes: Array<Made | Error | 'hang'>, answers: Array<'stored' | 'later'> = []) {
  const seen: { unless: (string | null)[]; brought: string[]; said: AgentEvent[] } = { unless: [], brought: [], said: [] }
  const call = async (
    name: string,
    input: { unless: string | null; from: number },
    { signal }: { signal?: AbortSignal } = {},
  ) => {
    if (name === 'readBundle') return input.from === 0 ? Buffer.from('bundle').toString('base64') : ''
    seen.unless.push(input.unless)
    const made = makes.length > 1 ? makes.shift() : makes[0]
    if (made === 'hang') {
      await new Promise((resolve) => signal?.addEventListener('abort', resolve))
      throw new Error('aborted')
    }
    if (made instanceof Error) throw made
    return made
  }
  checkpoints = openCheckpoints({
    hands: { call: call as never } as Hands,
    door: {
      storeTail: async (kind, bytes) => {
        seen.brought.push(`${kind} ${bytes}`)
        return answers.shift() ?? 'stored'
      },
    },
    voice: { emit: (event) => seen.said.push(event) },
    workspace: WORKSPACE,
    log: () => undefined,
    everyMs: 5,
  })
  return { ...checkpoints, ...seen }
}

function made(key: string, bytes = 6): Made {
  return { key, commit: COMMIT, bytes }
}

describe('checkpoints while a turn runs', () => {
  it('are brought after work, with an event each, and only when something has changed', async () => {
    const { worked, unless, brought, said } = open([made('one'), null, made('two'), null])
    worked()
    await waitFor('the first', () => said.length === 1)
    expect([brought, said]).toEqual([['checkpoint bundle'], [{ type: 'checkpoint.saved', data: { commit: COMMIT } }]])
    worked()
    await waitFor('the second look', () => unless.length === 2)
    worked()
    await waitFor('the second', () => said.length === 2)
    expect(unless).toEqual([null, 'one', 'one'])
    expect(brought).toHaveLength(2)
  })

  it('are tried again by themselves when nobody could take one, or git could not make it', async () => {
    const { worked, unless, brought, said } = open([new Error('no repository'), made('one')], ['later'])
    worked()
    await waitFor('the event', () => said.length === 1)
    expect([brought.length, unless]).toEqual([2, [null, null, null]])
  })

  it('that are too large are left out, and the person is told once', async () => {
    const { worked, unless, brought, said } = open([made('one', LIMITS.checkpointBytes + 1)])
    worked()
    await waitFor('the first look', () => unless.length === 1)
    worked()
    await waitFor('the second look', () => unless.length === 2)
    expect([brought, said.map(({ type }) => type)]).toEqual([[], ['note.written']])
  })

  it('are not made while tools run, which would kill git: one that takes long is ended, and comes after them', async () => {
    const { rest, worked, unless, said } = open(['hang', made('one')])
    worked()
    await waitFor('it to begin', () => unless.length === 1)
    await rest()
    expect(said).toEqual([])
    worked()
    await waitFor('the event', () => said.length === 1)
    expect(unless).toEqual([null, null])
  })

  it('end at once, in the middle of one too', async () => {
    const { worked, close, unless, said } = open(['hang'])
    worked()
    await waitFor('it to begin', () => unless.length === 1)
    await close()
    worked()
    await close()
    expect([unless.length, said]).toEqual([1, []])
  })
})
