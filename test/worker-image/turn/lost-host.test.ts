import { Readable } from 'node:stream'
import { afterEach, describe, expect, it } from '@jest/globals'
import { execa } from 'execa'
import type { SteerMessage } from '../../../contract/wire/sandbox.ts'
import { CoordinatorFault } from '../../../runner/lease/coordinator-client.ts'
import { readJournal } from '../../../worker-image/conversation/journal-text.ts'
import { waitFor } from '../../support/checks/wait.ts'
import type { SeenRequest } from '../../support/outside/model-server.ts'
import { blocksOf, canonical } from '../../support/outside/model-strictness.ts'
import { type Errand, endOf, startErrand } from '../errand.ts'
import { answer, bash, inTurn, text } from '../policies.ts'

let errand: Errand
afterEach(() => errand.stop())

function blocks(request: SeenRequest | undefined): unknown[] {
  return request ? blocksOf(request.body).map(canonical) : []
}

/** What had left the host when it was lost is all that the next attempt finds: a new sandbox, and no word of the old one's end. */
async function loseHost(): Promise<void> {
  const kept = new Map(errand.door.tail.kept)
  errand.cancel()
  await waitFor('the end of the first attempt', () => errand.lines.some(({ type }) => type === 'turn.ended'))
  await waitFor('its last artifact', () => errand.door.artifacts.has('transcript'))
  errand.door.artifacts.clear()
  await execa('git', ['-C', errand.origin, 'update-ref', '-d', `refs/heads/${errand.assignment.branch}`])
  for (const [kind, bytes] of kept) errand.door.tail.kept.set(kind, bytes)
  errand.lines.length = 0
  errand.freshWorkspace()
  Object.assign(errand.assignment, { hasTranscript: true, hasCheckpoint: kept.has('checkpoint'), attempt: 2 })
}

function journal() {
  return readJournal(String(errand.door.tail.kept.get('journal') ?? ''))
}

describe('a turn whose host is lost', () => {
  it('goes on elsewhere with the same conversation, to the byte, and what was under way has an unknown outcome', async () => {
    errand = await startErrand({
      policy: inTurn(answer(bash('echo one')), answer(bash('sleep 60')), answer(text('Done\n\nAll of it.'))),
    })
    const running = errand.run()
    await waitFor('the call under way in the journal', () => journal()?.messages.length === 4)
    const [before] = errand.model.requests.slice(-1)
    await loseHost()
    await running
    const { length } = errand.model.requests
    errand.lines.length = 0
    expect(endOf(await errand.run())).toMatchObject({ outcome: 'completed' })
    const after = errand.model.requests[length]
    expect(errand.model.refusals).toEqual([])
    expect(blocks(after).slice(0, blocks(before).length)).toEqual(blocks(before))
    expect(after?.results).toMatchObject([{ isError: true, text: expect.stringContaining('Outcome unknown') }])
    expect(after?.said).toContain('the machine that you worked on was lost')
    expect(after?.said).not.toContain('The task')
  })

  it('gives the model each message of the person once: the one that it had, and the one that came too late for it', async () => {
    const waiting: SteerMessage[] = []
    errand = await startErrand({
      waiting,
      policy: inTurn(
        () => {
          waiting.push({ messageId: 'm2', text: 'In French.' })
          return answer(bash('echo one'))
        },
        () => {
          waiting.push({ messageId: 'm3', text: 'And in Dutch.' })
          return answer(bash('echo two'))
        },
        { silent: 'hang' },
        answer(bash('true')),
        answer(text('Done\n\nAll of it.')),
      ),
    })
    const running = errand.run()
    // The third request holds the second message, and no answer shows whether the model has it.
    await waitFor('the results in the journal', () => journal()?.messages.length === 5)
    expect(journal()?.taken).toContain('m2')
    await loseHost()
    await running
    errand.lines.length = 0
    await errand.run()
    const all = JSON.stringify(errand.model.requests.at(-1)?.body.messages)
    expect([all.split('In French.').length, all.split('And in Dutch.').length]).toEqual([2, 2])
    expect(errand.model.refusals).toEqual([])
  })

  it('goes on with the files as they were, and the model is told of when, and what is gone', async () => {
    errand = await startErrand({
      files: { '.gitignore': 'built/\n', 'kept.txt': 'kept\n' },
      policy: inTurn(
        answer(bash('echo new > new.txt; rm kept.txt; mkdir built; echo x > built/x; echo KEY=1 > .env')),
        answer(bash('sleep 60')),
        answer(bash('cat new.txt; ls -A; git status --porcelain')),
        answer(text('Done\n\nAll of it.')),
      ),
    })
    const running = errand.run()
    await waitFor('the checkpoint', () => errand.lines.some(({ type }) => type === 'checkpoint.saved'))
    await waitFor('the call under way in the journal', () => journal()?.messages.length === 4)
    await loseHost()
    await running
    errand.lines.length = 0
    const { length } = errand.model.requests
    expect(endOf(await errand.run())).toMatchObject({ outcome: 'completed', diff: { files: 2 } })
    const said = errand.model.requests[length]?.said
    expect(said).toMatch(/repository-2 is as it was at \d\d:\d\d:\d\d UTC/)
    expect(said).toContain('nor these: .env')
    const shown = errand.model.requests[length + 1]?.results[0]?.text
    expect(shown).toMatch(/new\n\.git\n\.gitignore\nnew\.txt\n D kept\.txt\n\?\? new\.txt$/)
    expect(errand.lines.filter(({ type }) => type === 'note.written')).toEqual([])
  })

  it('goes on from the branch if its files do not come back, and the person and the model are told', async () => {
    errand = await startErrand({
      policy: inTurn(answer(bash('echo new > new.txt')), answer(bash('sleep 60')), answer(text('Nothing is there.'))),
    })
    const running = errand.run()
    await waitFor('the checkpoint', () => errand.lines.some(({ type }) => type === 'checkpoint.saved'))
    await waitFor('the call under way in the journal', () => journal()?.messages.length === 4)
    await loseHost()
    await running
    errand.door.tail.kept.set('checkpoint', Buffer.from('not a bundle'))
    errand.lines.length = 0
    expect(endOf(await errand.run())).toMatchObject({ outcome: 'completed', reason: 'no_changes' })
    expect(errand.lines).toContainEqual({
      type: 'note.written',
      data: { text: expect.stringContaining('could not be brought back: they are damaged') },
    })
    const told = errand.model.requests.map((request) => request.said).find((words) => words.includes('was lost'))
    expect(told).toContain('What you had changed since is gone (the copy of them could not be used: they are damaged)')
  })

  it('that was given up is in the conversation of the next turn, which is told so', async () => {
    errand = await startErrand({
      policy: inTurn(answer(bash('echo new > new.txt')), answer(bash('sleep 60')), answer(text('Nothing to do.'))),
    })
    const running = errand.run()
    await waitFor('the checkpoint', () => errand.lines.some(({ type }) => type === 'checkpoint.saved'))
    await waitFor('the call under way in the journal', () => journal()?.messages.length === 4)
    const [before] = errand.model.requests.slice(-1)
    await loseHost()
    await running
    errand.lines.length = 0
    Object.assign(errand.assignment, { turn: 2, hasCheckpoint: false, prompt: 'And now?', messageId: 'm2' })
    const { length } = errand.model.requests
    expect(endOf(await errand.run())).toMatchObject({ outcome: 'completed', reason: 'no_changes' })
    const after = errand.model.requests[length]
    expect(blocks(after).slice(0, blocks(before).length)).toEqual(blocks(before))
    expect(after?.said).toContain('And now?')
    expect(after?.said).toContain('that turn was given up')
    expect(errand.model.refusals).toEqual([])
  })

  it('waits for the files while the coordinator is away for a moment', async () => {
    let refusals = 3
    errand = await startErrand({
      policy: inTurn(answer(bash('echo new > new.txt')), answer(bash('sleep 60')), answer(text('Done\n\nAll of it.'))),
      gateway: {
        openCheckpoint: async () => {
          if (refusals-- > 0) throw new CoordinatorFault('unreachable', 'away')
          return Readable.from([errand.door.tail.kept.get('checkpoint') ?? Buffer.alloc(0)])
        },
      },
    })
    const running = errand.run()
    await waitFor('the checkpoint', () => errand.lines.some(({ type }) => type === 'checkpoint.saved'))
    await waitFor('the call under way in the journal', () => journal()?.messages.length === 4)
    await loseHost()
    await running
    errand.lines.length = 0
    expect(endOf(await errand.run())).toMatchObject({ outcome: 'completed', reason: 'done', diff: { files: 1 } })
    expect(refusals).toBeLessThan(0)
  })

  it('does not wait for a coordinator that takes the journal and never answers', async () => {
    let letGo: () => void = () => undefined
    const never = new Promise<void>((resolve) => {
      letGo = resolve
    })
    errand = await startErrand({
      policy: inTurn(answer(bash('echo one')), answer(text('Done\n\nAll of it.'))),
      gateway: { saveArtifact: (kind) => (kind === 'journal' || kind === 'checkpoint' ? never : Promise.resolve()) },
    })
    expect(endOf(await errand.run().finally(letGo))).toMatchObject({ outcome: 'completed' })
    expect(errand.log.join('')).not.toContain('transcript.lost')
  })
})
