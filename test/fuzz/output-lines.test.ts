import { expect, it } from '@jest/globals'
import { LIMITS } from '../../contract/api/limits.ts'
import { AGENT_EVENTS, AgentLine } from '../../contract/wire/sandbox.ts'
import { readAgentLine } from '../../runner/output/agent-lines.ts'
import { createRedactor, type Redactor } from '../../runner/output/redact.ts'
import { type Chance, FUZZ_TIMEOUT_MS, fuzz } from '../support/scripted/fuzz.ts'

const SECRETS = ['sk-ant-CANARY-0123456789', 'ghp_é+/token?&']
const REDACT = createRedactor(SECRETS)
const NASTY = [
  '\u001b[31m', '\u001b]0;title\u0007', '\u009b1m', '\u001bP', '\u0000', '\r', '\r\n', '\b', '\u202e', '\u2066', '\u061c', '\u200f',
  '\ud800', '\udc00', '\ufeff', '\u2028', '"', '\\', '\u007f', 'é', '👩‍💻', ' ', '\t', '\n', '__proto__', 'constructor',
] // biome-ignore format: a table

/** Text of a sandbox that wants to show or hide something: secrets whole, in pieces, encoded, with marks in the middle. */
function text(chance: Chance, most = 60): string {
  const { between, percent, pick } = chance
  const parts = Array.from({ length: between(0, 6) }, () => {
    const secret = pick(SECRETS)
    const at = between(1, secret.length - 1)
    return pick([
      () => pick(NASTY),
      () => secret,
      () => secret.slice(0, at) + pick(NASTY) + secret.slice(at),
      () => Buffer.from(`${'x'.repeat(between(0, 3))}${secret}y`).toString('base64'),
      () => encodeURIComponent(secret),
      () => String.fromCharCode(between(0, 0xffff)),
      () => 'word '.repeat(between(1, most)),
    ])()
  })
  return percent(2) ? parts.join('').repeat(2000) : parts.join('')
}

function anyJson(chance: Chance, depth = 0): unknown {
  const { between, percent, pick } = chance
  if (percent(1)) return JSON.parse(`${'['.repeat(60)}"${SECRETS[0]}"${']'.repeat(60)}`)
  if (depth > 4 || percent(50)) return pick([text(chance), between(-5, 5), 1e308, -0, true, null, 2 ** 53])
  if (percent(50)) return Array.from({ length: between(0, 4) }, () => anyJson(chance, depth + 1))
  const entries = Array.from({ length: between(0, 4) }, () => [text(chance, 2), anyJson(chance, depth + 1)])
  return Object.fromEntries(entries)
}

/** A line as the agent prints it, or nearly so. */
function line(chance: Chance): string {
  const { between, percent, pick } = chance
  const type = pick(['delta', ...AGENT_EVENTS])
  const field = () => (percent(85) ? text(chance) : anyJson(chance))
  const number = () => (percent(85) ? between(0, 9) : anyJson(chance))
  const diff = { files: number(), insertions: number(), deletions: number() }
  const data: Record<string, unknown> = {
    callId: field(), name: pick(['bash', field()]), title: field(), input: anyJson(chance), ok: percent(50), output: field(),
    outputBytes: number(), exitCode: pick([null, 0, 1]), durationMs: number(), note: field(), cutOff: percent(50), text: field(),
    turn: number(), model: field(), node: field(), baseBranch: field(), commit: field(), branch: field(), resumed: percent(50),
    outcome: pick(['completed', 'failed', 'cancelled']), reason: pick(['done', 'stuck', field()]), summary: field(), message: pick([null, field()]),
    diff: pick([null, diff]), beforeTokens: number(), afterTokens: number(), bySummary: percent(50), messageId: field(),
  } // biome-ignore format: a table
  if (percent(10)) data[pick(Object.keys(data))] = anyJson(chance)
  const whole = JSON.stringify(type === 'delta' ? { type, offset: number(), text: field() } : { type, data })
  return percent(25) ? chance.damaged(Buffer.from(whole)).toString('utf8') : whole
}

function textsIn(value: unknown): string[] {
  if (typeof value === 'string') return [value]
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, item]) => [key, ...textsIn(item)])
}

const HIDDEN = /[^\P{Cc}\n\t]|[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/u
/** What a secret must not be found as. */
const FORMS = SECRETS.flatMap((secret) => [secret, encodeURIComponent(secret)])

/** @throws Error when a line that the sandbox printed is believed though it should not, or shown as it should not be */
function check(printed: string, read: (line: string | null, redact: Redactor) => AgentLine | null): boolean {
  const shown = read(printed, REDACT)
  if (shown === null) return false
  expect(AgentLine.safeParse(shown).error).toBeUndefined()
  const texts = textsIn(shown)
  for (const one of texts) {
    expect(HIDDEN.exec(one)?.[0].codePointAt(0)).toBeUndefined()
    for (const form of FORMS) expect(one.includes(form)).toBe(false)
  }
  // Whoever reads it once more sees the same.
  expect(read(JSON.stringify(shown), REDACT)).toEqual(shown)
  const given = JSON.parse(printed)
  if (shown.type === 'delta') expect(shown.text.length).toBe(given.text.length)
  if (shown.type === 'tool.started')
    expect(JSON.stringify(shown.data.input).length).toBeLessThanOrEqual(LIMITS.toolInputChars + 1000)
  return true
}

it(
  'no line of a sandbox shows what is hidden or hides what is shown',
  async () => {
    let believed = 0
    const tried = await fuzz((chance) => {
      if (check(line(chance), readAgentLine)) believed += 1
    })
    // A fuzzer whose lines are all noise tests nothing.
    expect(believed / tried).toBeGreaterThan(0.2)
  },
  FUZZ_TIMEOUT_MS,
)

it(
  'finds a planted fault: text that is searched for secrets before it is cleaned',
  async () => {
    const planted = (given: string | null) => readAgentLine(given && REDACT.text(given), createRedactor([]))
    await expect(fuzz((chance) => check(line(chance), planted), 30)).rejects.toThrow(
      /FUZZ_SEED=\d+ failed: (Error|JestAssertionError): .*expect\(/s,
    )
  },
  FUZZ_TIMEOUT_MS,
)
