import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from '@jest/globals'
import type { Reply, ScriptedBlock } from '../../support/outside/model-wire.ts'
import { type Errand, endOf, eventsOf, startErrand } from '../errand.ts'
import { answer, bash, call, inTurn, text } from '../policies.ts'
import { jpeg, png } from './pictures.ts'

let errand: Errand
afterEach(() => errand.stop())

async function start(options: Parameters<typeof startErrand>[0]) {
  errand = await startErrand(options)
  return errand
}

/** The second message of the task, in a sandbox of its own. */
async function second(prompt = 'And now?') {
  Object.assign(errand.assignment, { hasTranscript: true, turn: 2, attempt: 2, prompt, messageId: 'm2' })
  errand.lines.length = 0
  errand.freshWorkspace()
  return errand.run()
}

const HALF = String.fromCharCode(0xd83d)
const done = answer(text('Nothing to do.'))
const endsWell = { outcome: 'completed' }

describe('an answer that the API would not take back', () => {
  const odd: Array<[string, Reply]> = [
    ['white space before a call', answer(text('\n\n'), bash('ls'))],
    ['half an emoji', answer(text(`cut ${HALF}`), bash(`echo ${HALF}`))],
    [
      'two calls under one id',
      answer({ ...bash('echo one'), id: 'toolu_x' } as ScriptedBlock, { ...bash('echo two'), id: 'toolu_x' } as ScriptedBlock),
    ],
    ['a call whose input is a list', answer({ type: 'tool_use', name: 'bash', json: '["ls"]' })],
    ['a tool with an impossible name', answer({ type: 'tool_use', name: 'rm -rf /', input: {} })],
    ['thinking without a signature', { content: [bash('ls')], signature: '' }],
    ['a block of an unknown kind', answer({ type: 'other', start: { type: 'weather_report', sky: 'clear' } }, bash('ls'))],
  ]
  it.each(odd)('%s: the work goes on, and the next message too', async (_, reply) => {
    const { run, model } = await start({ policy: inTurn(reply, done) })
    expect(endOf(await run())).toMatchObject(endsWell)
    expect(endOf(await second())).toMatchObject(endsWell)
    expect(model.refusals).toEqual([])
  })

  it('an answer of white space alone is asked to go on, once', async () => {
    const { run, model } = await start({ policy: inTurn(answer(text('\n\n')), done) })
    expect(endOf(await run())).toMatchObject(endsWell)
    expect(model.requests[1]?.said).toContain('answer was empty')
    expect(endOf(await second())).toMatchObject(endsWell)
    expect(model.refusals).toEqual([])
  })

  it('calls under one id in an answer or in two are each run once, and get their own results', async () => {
    const same = (command: string) => ({ ...bash(command), id: 'toolu_x' }) as ScriptedBlock
    const { run, model } = await start({
      policy: inTurn(answer(same('echo one'), same('echo two')), answer(same('echo three')), done),
    })
    const lines = await run()
    const [first, next] = [model.requests[1], model.requests[2]]
    expect(first?.results.map(({ text: words }) => /one|two/.exec(words)?.[0])).toEqual(['one', 'two'])
    expect(next?.results[0]?.text).toContain('three')
    const ids = eventsOf(lines, 'tool.started').map(({ callId }) => callId)
    expect(new Set(ids).size).toBe(3)
    expect(eventsOf(lines, 'tool.ended').map(({ callId }) => callId)).toEqual(ids)
    expect(endOf(await second())).toMatchObject(endsWell)
    expect(model.refusals).toEqual([])
  })

  it('a call of a tool at the API keeps its input', async () => {
    const paused: Reply = {
      content: [
        {
          type: 'other',
          start: { type: 'server_tool_use', id: 'srvtoolu_1', name: 'web_search', input: {} },
          json: '{"query":"x"}',
        },
      ],
      stopReason: 'pause_turn',
    }
    const { run, model } = await start({ policy: inTurn(paused, done) })
    expect(endOf(await run())).toMatchObject(endsWell)
    const sent = model.requests[1]?.body.messages[1]?.content
    expect(sent?.at(-1)).toMatchObject({ type: 'server_tool_use', input: { query: 'x' } })
    expect(model.refusals).toEqual([])
  })
})

describe('an image', () => {
  const files: Array<[string, string, Buffer, RegExp]> = [
    ['HTML under an image’s name', 'logo.png', Buffer.from('<!DOCTYPE html><html><body>404</body></html>'), /not an image.*HTML/],
    [
      'a Git LFS pointer',
      'logo.png',
      Buffer.from('version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n'),
      /LFS pointer/,
    ],
    ['a text', 'logo.gif', Buffer.from('hello\n'), /begins like text/],
    ['an empty file', 'logo.webp', Buffer.alloc(0), /is empty/],
    ['nine thousand pixels', 'wide.png', png(9000, 100), /9000 × 100.*at most 8000.*smaller copy/],
    ['an image that ends early', 'cut.png', png(200, 200).subarray(0, 60), /damaged/],
  ]
  it.each(files)('%s: the model is told, nothing of it is sent, and the next message works', async (_, name, bytes, words) => {
    const { run, model, config } = await start({
      policy: inTurn(async () => {
        await writeFile(join(config.workspace, name), bytes)
        return answer(call('read', { file_path: name }))
      }, done),
    })
    expect(endOf(await run())).toMatchObject({ outcome: 'completed' })
    expect(model.requests[1]?.results).toMatchObject([{ isError: true, text: expect.stringMatching(words) }])
    expect(endOf(await second())).toMatchObject(endsWell)
    expect(model.refusals).toEqual([])
  })

  it('goes under its true type, whatever its name says', async () => {
    const { run, model, config } = await start({
      policy: inTurn(async () => {
        await writeFile(join(config.workspace, 'photo.png'), jpeg(300, 200))
        return answer(call('read', { file_path: 'photo.png' }))
      }, done),
    })
    await run()
    expect(JSON.stringify(model.requests[1]?.body.messages.at(-1))).toContain('"media_type":"image/jpeg"')
    expect(model.requests[1]?.results[0]?.text).toContain('300 × 200')
    expect(model.refusals).toEqual([])
  })

  it('of over 2000 pixels is shown among a few; with the twenty-first all such become words, and the conversation goes on', async () => {
    const reads = Array.from({ length: 22 }, (_, index) => call('read', { file_path: `wide-${index}.png` }))
    const { run, model, config } = await start({
      policy: inTurn(
        async () => {
          for (const index of reads.keys()) await writeFile(join(config.workspace, `wide-${index}.png`), png(2100, 100))
          return answer(reads[0] as ScriptedBlock)
        },
        ...reads.slice(1).map((read) => answer(read)),
        answer(bash('rm wide-*')),
        done,
      ),
    })
    expect(endOf(await run())).toMatchObject(endsWell)
    const imagesIn = (index: number) => JSON.stringify(model.requests[index]?.body.messages).split('"type":"image"').length - 1
    expect([imagesIn(20), imagesIn(21)]).toEqual([20, 0])
    expect(JSON.stringify(model.requests[21]?.body.messages)).toContain('2100 × 100 pixels was here')
    expect(endOf(await second())).toMatchObject(endsWell)
    expect(model.refusals).toEqual([])
  })
})

describe('a conversation that an earlier version left poisoned', () => {
  it('is healed when the next turn reads it', async () => {
    const { run, model, door } = await start({ policy: inTurn(answer(bash('ls')), done) })
    await run()
    const stored = JSON.parse(String(door.artifacts.get('transcript')))
    const bad = {
      type: 'image',
      source: { type: 'base64', media_type: 'image/png', data: Buffer.from('<html>').toString('base64') },
    }
    stored.messages[2].content[0].content = [{ type: 'text', text: 'logo.png: an image' }, bad]
    stored.messages[1].content.unshift({ type: 'text', text: '\n' })
    door.artifacts.set('transcript', Buffer.from(JSON.stringify(stored)))
    expect(endOf(await second())).toMatchObject(endsWell)
    expect(JSON.stringify(model.requests.at(-1)?.body.messages)).toContain('An image was here')
    expect(model.refusals).toEqual([])
  })
})
