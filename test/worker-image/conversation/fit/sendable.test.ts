import { describe, expect, it } from '@jest/globals'
import { sendable } from '../../../../worker-image/conversation/fit/sendable.ts'
import type { ModelMessage } from '../../../../worker-image/model/model-client.ts'
import { messagesRefusal } from '../../../support/outside/model-messages.ts'
import type { Message } from '../../../support/outside/model-strictness.ts'
import { createRandom } from '../../../support/scripted/random.ts'
import { jpeg, png } from '../pictures.ts'

type Block = Record<string, unknown>

const HALF = String.fromCharCode(0xd83d)

function conversation(...contents: Block[][]): ModelMessage[] {
  return contents.map((content, index) => ({
    role: index % 2 === 0 ? 'user' : 'assistant',
    content,
  })) as unknown as ModelMessage[]
}
function text(words: string): Block {
  return { type: 'text', text: words }
}
function call(id: string, input: unknown = {}): Block {
  return { type: 'tool_use', id, name: 'bash', input }
}
function result(id: string, content: unknown = 'ok', more: Block = {}): Block {
  return { type: 'tool_result', tool_use_id: id, content, ...more }
}
function image(bytes: Buffer, media_type = 'image/png'): Block {
  return { type: 'image', source: { type: 'base64', media_type, data: bytes.toString('base64') } }
}

/** The stand-in of the API decides: it knows nothing of the product's rules. */
function refusal(messages: readonly ModelMessage[]): string | null {
  const listed = messages.map(({ role, content }) => ({
    role,
    content: typeof content === 'string' ? [text(content)] : content,
  })) as unknown as Message[]
  return messagesRefusal(listed, (signature) => signature === 'sig')?.message ?? null
}

const task = [text('The task')]
const thinking = { type: 'thinking', thinking: 'Hm.', signature: 'sig' }

describe('what the API refuses', () => {
  const poisoned: Array<[string, ModelMessage[], RegExp]> = [
    ['a text of white space', conversation(task, [text('\n\n'), call('a')], [result('a')]), /non-whitespace/],
    ['an answer of white space alone', conversation(task, [text(' ')], [text('Go on')]), /non-whitespace/],
    ['half a surrogate pair in a text', conversation(task, [text('ok')], [text(`cut ${HALF}`)]), /no low surrogate/],
    ['half a surrogate pair in an input', conversation(task, [call('a', { [HALF]: HALF })], [result('a')]), /no low surrogate/],
    ['half a surrogate pair in a result', conversation(task, [call('a')], [result('a', [text(HALF)])]), /no low surrogate/],
    ['half a surrogate pair in thinking', conversation(task, [{ ...thinking, thinking: HALF }, text('x')], task), /no low surr/],
    ['an empty signature', conversation(task, [{ ...thinking, signature: '' }, text('x')], task), /Invalid `signature`/],
    ['an answer that ends on thinking', conversation(task, [text('x'), thinking], task), /cannot be `thinking`/],
    ['an answer of thinking alone', conversation(task, [thinking], task), /cannot be `thinking`/],
    ['one id twice in an answer', conversation(task, [call('a'), call('a')], [result('a'), result('a')]), /unique/],
    ['one id in two answers', conversation(task, [call('a')], [result('a')], [call('a')], [result('a')]), /unique/],
    ['an id that is none', conversation(task, [call('a b')], [result('a b')]), /pattern/],
    ['a name that is none', conversation(task, [{ ...call('a'), name: 'rm -rf' }], [result('a')]), /pattern/],
    ['an input that is a list', conversation(task, [call('a', [1])], [result('a')]), /valid dictionary/],
    ['a call without a result', conversation(task, [call('a'), call('b')], [result('b'), text('Hi')]), /without tool_result/],
    ['a call at the end', conversation(task, [call('a')]), /without `tool_result`/],
    ['a result without a call', conversation(task, [text('x')], [result('a'), text('Hi')]), /unexpected tool_use_id/],
    ['two results of one call', conversation(task, [call('a')], [result('a'), result('a')]), /single result/],
    ['a result behind a text', conversation(task, [call('a')], [text('Hi'), result('a')]), /must come first/],
    ['a result of an empty text', conversation(task, [call('a')], [result('a', [text('')])]), /non-empty/],
    ['a message without a block', conversation(task, [], [text('Hi')]), /must not be empty/],
    ['a block of an unknown kind', conversation(task, [{ type: 'weather' }, text('x')], task), /does not match/],
    ['an image that is none', conversation(task, [call('a')], [result('a', [image(Buffer.from('<html>'))])]), /not process/],
    ['an image of another kind', conversation(task, [call('a')], [result('a', [image(jpeg(10, 10))])]), /appears to be/],
    ['an image that is too long', conversation(task, [call('a')], [result('a', [image(png(9000, 100))])]), /8000 pixels/],
    [
      'an image that ends early',
      conversation(task, [call('a')], [result('a', [image(png(9, 9).subarray(0, 50))])]),
      /not process/,
    ],
    [
      'an image in an error',
      conversation(task, [call('a')], [result('a', [image(png(9, 9))], { is_error: true })]),
      /must be type "text"/,
    ],
    ['an answer before any message', conversation(task, [text('x')], [text('Hi')]).slice(1), /first message/],
  ]
  it.each(poisoned)('%s is never sent', (_, messages, words) => {
    // As the API sees it without our help: the case is a real one.
    expect(refusal(messages)).toMatch(words)
    const fit = sendable(messages)
    expect(refusal(fit)).toBeNull()
    expect(sendable(fit)).toEqual(fit)
  })

  it('keeps each result with its own call when an id came twice', () => {
    const fit = sendable(conversation(task, [call('a', { n: 1 }), call('a', { n: 2 })], [result('a', 'one'), result('a', 'two')]))
    const [one, two] = [fit[1], fit[2]].map((message) => message?.content as unknown as Block[])
    expect(two).toMatchObject([
      { tool_use_id: one?.[0]?.id, content: 'one' },
      { tool_use_id: one?.[1]?.id, content: 'two' },
    ])
  })
})

describe('a good conversation', () => {
  it('stays as it is, to the byte', () => {
    const good = conversation(
      task,
      [thinking, text('I look.'), call('a', { command: 'ls "\\ud83d"' }), call('b')],
      [result('a', [text('x'), image(png(100, 50))]), result('b', 'no', { is_error: true }), text('Faster, please 👩‍💻')],
      [{ ...thinking, thinking: '' }, text('Done.')],
      [text('Next')],
    )
    expect(refusal(good)).toBeNull()
    expect(JSON.stringify(sendable(good))).toBe(JSON.stringify(good))
  })
})

describe('any conversation', () => {
  const blocks: Array<() => Block> = [
    () => text('words'),
    () => text(' \n'),
    () => text(HALF),
    () => thinking,
    () => ({ ...thinking, signature: '' }),
    () => call('a'),
    () => call('b', HALF),
    () => call(''),
    () => result('a'),
    () => result('b', ''),
    () => result('a', [image(png(3, 3)), text('')]),
    () => result('b', [image(Buffer.from('x'))], { is_error: true }),
    () => ({ type: 'redacted_thinking', data: '' }),
    () => ({ type: 'container_upload', file_id: 'f' }),
  ]
  it('can be sent, with the next message of the person behind it', () => {
    const { between } = createRandom(20261127)
    const pick = <T>(items: readonly T[]): T => items[between(0, items.length - 1)] as T
    for (let round = 0; round < 2_000; round += 1) {
      const messages = Array.from({ length: pick([1, 2, 3, 5, 8]) }, () => ({
        role: pick(['user', 'assistant']),
        content: Array.from({ length: pick([0, 1, 2, 4]) }, () => pick(blocks)()),
      })) as unknown as ModelMessage[]
      const fit = sendable([...messages, { role: 'user', content: 'Go on.' }])
      expect([refusal(fit), fit, messages]).toEqual([null, fit, messages])
      expect(sendable(fit)).toEqual(fit)
    }
  })
})
