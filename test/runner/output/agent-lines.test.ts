import { describe, expect, it } from '@jest/globals'
import { LIMITS } from '../../../contract/api/limits.ts'
import { cleanDelta, cleanText, readAgentLine } from '../../../runner/output/agent-lines.ts'
import { createRedactor } from '../../../runner/output/redact.ts'

describe('text of a stranger', () => {
  it.each([
    ['colours', '\u001b[31mred\u001b[0m', 'red'],
    ['a clipboard write', 'a\u001b]52;c;aGk=\u0007b', 'ab'],
    ['a hidden link', '\u001b]8;;http://x\u0007here\u001b]8;;\u0007', 'here'],
    ['overwriting by carriage return', 'good\rbad\r\nnext', 'good\nbad\nnext'],
    ['backspace and NUL', 'a\bb\0c\u0007', 'abc'],
    ['marks that reorder', 'a\u202eb\u2066c', 'abc'],
    ['newer colours, modes and charsets', '\u001b[38:2::1:2:3m\u001b[>4;2m\u001b[!p\u001b(B\u001b7a\u009b31mb', 'ab'],
    ['a sequence that never ends', 'a\u001b]0;b\n\u001b[', 'a0;b\n'],
    ['what is meant', 'tab\tline\nüñí 🙂', 'tab\tline\nüñí 🙂'],
  ])('loses %s', (_what, given, shown) => {
    expect(cleanText(given)).toBe(shown)
  })

  it('keeps its length in a delta', () => {
    const given = 'a\u001b[31m\r\u202eb'
    expect(cleanDelta(given)).toHaveLength(given.length)
    expect(cleanDelta(given)).toBe('a [31m  b')
  })
})

describe('the redactor', () => {
  const secret = 'sk-ant-CANARY/0123+456789'
  const redact = createRedactor([secret, null, 'short'])

  it.each([
    ['as it is', (s: string) => s],
    ['in a URL', encodeURIComponent],
    ['in base64', (s: string) => Buffer.from(s).toString('base64')],
    ['in base64 behind one byte', (s: string) => Buffer.from(`x${s}`).toString('base64')],
    ['in base64 behind two bytes, with more after it', (s: string) => Buffer.from(`x:${s} and more`).toString('base64')],
    ['in the URL form of base64', (s: string) => Buffer.from(`x-access-token:${s}`).toString('base64url')],
  ])('finds a secret %s', (_how, form) => {
    const text = redact.text(`before ${form(secret)} after`)
    expect(text).toContain('[secret]')
    expect(text).not.toContain(form(secret).slice(6, -6))
  })

  it('never makes a text longer, and leaves short values alone', () => {
    expect(redact.text('a short word')).toBe('a short word')
    expect(redact.sameLength(`x${secret}y`)).toBe(`x${'*'.repeat(secret.length)}y`)
  })
})

describe("a line of the agent's", () => {
  const redact = createRedactor(['sk-ant-CANARY0123456789'])
  const read = (value: unknown) => readAgentLine(JSON.stringify(value), redact)

  it('is noise when it is not JSON, not an event of the agent, or too large for its field', () => {
    expect(readAgentLine(null, redact)).toBeNull()
    expect(readAgentLine('npm warn something', redact)).toBeNull()
    expect(read({ type: 'attempt.ended', data: { outcome: 'completed', reason: 'done', message: null } })).toBeNull()
    expect(read({ type: 'branch.pushed', data: { branch: 'b', commit: 'c' } })).toBeNull()
    expect(read({ type: 'text.written', data: { text: 'x'.repeat(LIMITS.textChars + 1) } })).toBeNull()
  })

  it('is cleaned and without secrets in every text of it, however deep', () => {
    const input = { command: 'echo \u001b[31msk-ant-CANARY0123456789', deep: [{ 'k\u0000': 'sk-ant-CANARY0123456789' }] }
    expect(read({ type: 'tool.started', data: { callId: '1', name: 'bash', title: 't\u0007', input } })).toEqual({
      type: 'tool.started',
      data: { callId: '1', name: 'bash', title: 't', input: { command: 'echo [secret]', deep: [{ k: '[secret]' }] } },
    })
  })

  it.each([
    ['one escape without an end', '\u001b', ';#'],
    ['escapes alone', '', '\u001b;#'],
    ['commands without an end', '', '\u001b]x'],
    ['one long command', '\u001b]', 'x'],
  ])('is read at once when all of it is %s', (_what, start, unit) => {
    const input = start + unit.repeat(Math.floor((LIMITS.lineBytes - 200) / (JSON.stringify(unit).length - 2)))
    const line = JSON.stringify({ type: 'tool.started', data: { callId: '1', name: 'n', title: 't', input } })
    const started = performance.now()
    expect(readAgentLine(line, redact)).not.toBeNull()
    expect(performance.now() - started).toBeLessThan(1000)
  })

  it('has an input within bounds, and no bottomless one', () => {
    const large = read({ type: 'tool.started', data: { callId: '1', name: 'n', title: 't', input: 'x'.repeat(100_000) } })
    expect(JSON.stringify(large).length).toBeLessThan(LIMITS.toolInputChars)
    const bottomless = `{"type":"tool.started","data":{"callId":"1","name":"n","title":"t","input":${'['.repeat(100_000)}${']'.repeat(100_000)}}}`
    expect(JSON.stringify(readAgentLine(bottomless, redact))).toContain('nested too deep')
  })
})
