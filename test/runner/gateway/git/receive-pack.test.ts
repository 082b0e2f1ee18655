import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { execa } from 'execa'
import { createReportReader, isAllowedRef, readCommands } from '../../../../runner/gateway/git/receive-pack.ts'
import { git, refsOf } from '../../../support/outside/git-server.ts'
import { type TemporaryFolder, temporaryFolder } from '../../../support/systems/temporary.ts'

const PREFIX = 'refs/heads/errand/T1/'
const A = 'a'.repeat(40)
const ZERO = '0'.repeat(40)
const CAPABILITIES = ' report-status side-band-64k agent=git/2.39.5'
function pkt(line: string) {
  return `${(Buffer.byteLength(line, 'latin1') + 4).toString(16).padStart(4, '0')}${line}`
}
function list(...lines: string[]) {
  return Buffer.from(`${lines.map(pkt).join('')}0000`, 'latin1')
}
function update(ref: string, features = `\0${CAPABILITIES}`) {
  return `${ZERO} ${A} ${ref}${features}`
}

describe('readCommands', () => {
  it('reads what git sends', () => {
    const bytes = Buffer.concat([list(`shallow ${A}`, update(`${PREFIX}a`), update(`${PREFIX}b/c`, '')), Buffer.from('PACK…')])
    expect(readCommands(bytes, PREFIX)).toEqual({
      state: 'whole',
      length: bytes.length - Buffer.byteLength('PACK…'),
      updates: [
        { oldId: ZERO, newId: A, ref: `${PREFIX}a` },
        { oldId: ZERO, newId: A, ref: `${PREFIX}b/c` },
      ],
      capabilities: ['report-status', 'side-band-64k', 'agent=git/2.39.5'],
    })
  })

  it('asks for more until the list is whole, wherever it is cut', () => {
    const bytes = list(update(`${PREFIX}a`))
    for (let end = 0; end < bytes.length; end++) expect(readCommands(bytes.subarray(0, end), PREFIX)).toEqual({ state: 'more' })
    expect(readCommands(bytes, PREFIX).state).toBe('whole')
  })

  it("accepts git's empty probe", () => {
    expect(readCommands(Buffer.from('0000'), PREFIX)).toMatchObject({ state: 'whole', updates: [] })
  })

  it.each([
    ['another branch', list(update('refs/heads/main'))],
    ["another task's branch", list(update('refs/heads/errand/T10/a'))],
    ['a second update elsewhere', list(update(`${PREFIX}a`), update('refs/heads/main', ''))],
    ['a deletion', list(`${A} ${ZERO} ${PREFIX}a\0${CAPABILITIES}`)],
    ['nine branches', list(...Array.from({ length: 9 }, (_, n) => update(`${PREFIX}${n}`, n === 0 ? `\0${CAPABILITIES}` : '')))],
    ['a signed push', list(`push-cert\0${CAPABILITIES}`)],
    ['push options', list(update(`${PREFIX}a`, `\0${CAPABILITIES} push-options`))],
    ['no report', list(update(`${PREFIX}a`, '\0side-band-64k'))],
    ['no capabilities', list(update(`${PREFIX}a`, ''))],
    ['capabilities on the second line', list(update(`${PREFIX}a`), update(`${PREFIX}b`))],
    ['capabilities on a shallow line', list(`shallow ${A}\0push-options`, update(`${PREFIX}a`))],
    ['shallow behind an update', list(update(`${PREFIX}a`), `shallow ${A}`)],
    ['a second NUL', list(update(`${PREFIX}a`, `\0${CAPABILITIES}\0x`))],
    ['ids in capitals', list(`${ZERO} ${'A'.repeat(40)} ${PREFIX}a\0${CAPABILITIES}`)],
    ['a space behind the ref', list(`${ZERO} ${A} ${PREFIX}a \0${CAPABILITIES}`)],
    ['two line ends', list(`${ZERO} ${A} ${PREFIX}a\n\n\0${CAPABILITIES}`)],
    ['a length in capitals', Buffer.from('00AFx')],
    ['an empty line', Buffer.from('00040000')],
    ['a delimiter', Buffer.from('00010000')],
    ['a length of less than itself', Buffer.from('0003')],
    ['a list without end', Buffer.from(pkt(`shallow ${A}`).repeat(1300))],
  ])('refuses %s', (_what, bytes) => {
    expect(readCommands(bytes, PREFIX)).toEqual({ state: 'refused', why: expect.stringMatching(/^A push .* is refused/) })
  })
})

describe('isAllowedRef', () => {
  it.each(['a', 'fix-the-test', 'a/b.c/d_e', 'v1.2'])('%s may be pushed', (name) => {
    expect(isAllowedRef(PREFIX + name, PREFIX)).toBe(true)
  })
  it.each([
    '',
    '/',
    'a/',
    '/a',
    'a//b',
    '.',
    '..',
    'a/..',
    '../T2/a',
    'a..b',
    '.a',
    '-x',
    'a/-x',
    'a.lock',
    'a.',
    'a@{1}',
    'a b',
    'a~1',
    'ä',
    'a\\b',
  ])('%j may not', (name) => {
    expect(isAllowedRef(PREFIX + name, PREFIX)).toBe(false)
  })
  it('holds nothing to be below a prefix that does not end in a slash', () => {
    expect(isAllowedRef('refs/heads/errand/T10', 'refs/heads/errand/T1')).toBe(false)
  })
})

describe('the report of a push', () => {
  const REPORT = `${pkt('unpack ok\n')}${pkt(`ok ${PREFIX}a\n`)}${pkt(`ng ${PREFIX}b pre-receive hook declined\n`)}0000`

  it('is read through the side band, in whatever pieces it comes', () => {
    const bytes = Buffer.from(`${pkt('\x02progress')}${pkt(`\x01${REPORT.slice(0, 9)}`)}${pkt(`\x01${REPORT.slice(9)}`)}0000`)
    const report = createReportReader(true)
    for (const byte of bytes) report.take(Buffer.of(byte))
    expect(report.accepted()).toEqual([`${PREFIX}a`])
  })

  it('is read without a side band', () => {
    const report = createReportReader(false)
    report.take(Buffer.from(REPORT))
    expect(report.accepted()).toEqual([`${PREFIX}a`])
  })

  it('of a pack that could not be read accepts nothing', () => {
    const report = createReportReader(false)
    report.take(Buffer.from(REPORT.replace('unpack ok', 'unpack no')))
    expect(report.accepted()).toEqual([])
  })
})

/** Whatever the parser lets through is given to the real thing: no ref outside the prefix may ever change. */
describe('the parser against git itself', () => {
  const ROUNDS = 20_000
  const FED = 120
  let folder: TemporaryFolder
  let commit: string

  beforeAll(async () => {
    folder = await temporaryFolder()
    await git(folder.path, 'init', '-q', '--bare', '.')
    const { stdout: tree } = await execa('git', ['-C', folder.path, 'mktree'], { input: '' })
    commit = (await git(folder.path, 'commit-tree', '-m', 'x', tree)).stdout
    await git(folder.path, 'update-ref', 'refs/heads/main', commit)
    await git(folder.path, 'config', 'receive.denyCurrentBranch', 'ignore')
  })
  afterAll(() => folder.remove())

  it('lets nothing through that changes a ref outside the prefix', async () => {
    const random = seededRandom(20_261_121)
    const outside = async () =>
      Object.fromEntries(Object.entries(await refsOf(folder.path)).filter(([ref]) => !ref.startsWith(PREFIX)))
    const before = await outside()
    let [accepted, fed] = [0, 0]
    for (let round = 0; round < ROUNDS; round++) {
      const bytes = mutate(mixture(commit, random), random)
      const commands = readCommands(bytes, PREFIX)
      if (commands.state !== 'whole' || commands.updates.length === 0) continue
      accepted += 1
      if (fed >= FED) continue
      fed += 1
      // A pack of no objects: every commit named here is there already.
      const input = Buffer.concat([bytes, EMPTY_PACK])
      await execa('git', ['receive-pack', '--stateless-rpc', folder.path], { input, reject: false, encoding: 'buffer' })
    }
    expect(await outside()).toEqual(before)
    const changed = Object.keys(await refsOf(folder.path)).filter((ref) => ref.startsWith(PREFIX))
    expect({ accepted, fed, changed: changed.length }).toEqual({
      accepted: expect.any(Number),
      fed: FED,
      changed: expect.any(Number),
    })
    expect(changed.length).toBeGreaterThan(5)
  })
})

const EMPTY_PACK = Buffer.from('5041434b0000000200000000029d08823bd8a8eab510ad6ac75c823cfd3ed31e', 'hex')

function mixture(commit: string, random: () => number): Buffer {
  const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)] as T
  const refs = ['a', 'b', 'c/d', 'e', 'f', 'g.h'].map((name) => PREFIX + name)
  const others = ['refs/heads/main', 'refs/heads/errand/T10/a', 'refs/tags/v1', 'HEAD', `${PREFIX}../../main`, `${PREFIX}-x`]
  const lines: string[] = []
  if (random() < 0.1) lines.push(`shallow ${commit}`)
  const count = 1 + Math.floor(random() * 3)
  for (let n = 0; n < count; n++) {
    const ref = random() < 0.85 ? pick(refs) : pick(others)
    const features =
      n === 0 || random() < 0.05 ? `\0${pick([' report-status', 'report-status side-band-64k', 'report-status atomic', ''])}` : ''
    lines.push(`${ZERO} ${random() < 0.95 ? commit : ZERO} ${ref}${features}${pick(['', '\n'])}`)
  }
  return list(...lines)
}

/** Changes a byte, a length, or the order, some of the time. */
function mutate(bytes: Buffer, random: () => number): Buffer {
  if (random() < 0.4) return bytes
  const changed = Buffer.from(bytes)
  const at = Math.floor(random() * changed.length)
  const kind = random()
  if (kind < 0.4) changed[at] = Math.floor(random() * 256)
  else if (kind < 0.6) changed[at] = (changed[at] ?? 0) ^ (1 << Math.floor(random() * 8))
  else if (kind < 0.8)
    return Buffer.concat([changed.subarray(0, at), Buffer.from('\0\n 0').subarray(at % 4, (at % 4) + 1), changed.subarray(at)])
  else return Buffer.concat([changed.subarray(0, at), changed.subarray(at + 1)])
  return changed
}

/** mulberry32: the same numbers in each run. */
function seededRandom(seed: number) {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0
    let mixed = Math.imul(seed ^ (seed >>> 15), 1 | seed)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}
