import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { buffer } from 'node:stream/consumers'
import { afterAll, beforeAll, expect, it } from '@jest/globals'
import { execa } from 'execa'
import { type Commands, createReportReader, isAllowedRef, readCommands } from '../../runner/gateway/git/receive-pack.ts'
import { type Chance, FUZZ_TIMEOUT_MS, fuzz } from '../support/scripted/fuzz.ts'
import { temporaryFolder } from '../support/systems/temporary.ts'

const PREFIX = 'refs/heads/errand/7/'
const NOTHING = '0'.repeat(40)

let folder: Awaited<ReturnType<typeof temporaryFolder>>
let repository: string
/** Commits that the repository has. */
let commits: string[]

beforeAll(async () => {
  folder = await temporaryFolder()
  repository = `${folder.path}/host.git`
  await execa('git', ['init', '--quiet', '--bare', '--initial-branch=main', repository])
  const as = ['-c', 'user.name=a', '-c', 'user.email=a@b']
  const tree = (await execa('git', ['hash-object', '-t', 'tree', '-w', '/dev/null'], { cwd: repository })).stdout
  const commit = async (...parents: string[]) =>
    (await execa('git', [...as, 'commit-tree', tree, '-m', 'x', ...parents.flatMap((one) => ['-p', one])], { cwd: repository }))
      .stdout
  const first = await commit()
  commits = [first, await commit(first)]
})
afterAll(() => folder.remove())

function pkt(payload: string): string {
  return (payload.length + 4).toString(16).padStart(4, '0') + payload
}

function ref({ between, percent, pick }: Chance, odd: number): string {
  if (!percent(odd)) return PREFIX + pick(['a', 'b/c', 'fix-1', 'x.y'])
  const strange = [
    'main',
    '..',
    '.lock',
    'a.lock',
    '-x',
    'HEAD',
    'a//b',
    '~',
    '^',
    ':',
    '?',
    '*',
    '[',
    '\\',
    '@{',
    ' ',
    '\t',
    '\u007f',
    'é',
    '.',
    '/',
    'a.',
  ]
  return pick([
    'refs/heads/main', 'HEAD', 'refs/tags/v1', 'refs/heads/errand/8/x', 'refs/heads/errand/7', PREFIX, 'refs/errand/x',
    `${PREFIX}${pick(strange)}`, `${PREFIX}a${pick(strange)}b`, `${PREFIX}../8/x`, PREFIX + 'x'.repeat(between(190, 300)),
  ]) // biome-ignore format: a table
}

/** The command list of a push: as git writes it, with a single oddity, or with many. */
function commandList(chance: Chance): Buffer {
  const { between, percent, pick } = chance
  const odd = pick([0, 3, 30])
  const usually = <T>(usual: T, others: readonly T[]) => (percent(odd) ? pick(others) : usual)
  const id = () => usually(pick(commits), [NOTHING, 'f'.repeat(40), '0'.repeat(64), 'A'.repeat(40), 'x', ''])
  const features = usually('\0report-status side-band-64k agent=git/2', [
    '\0report-status',
    '\0report-status-v2 atomic',
    '',
    '\0',
    '\0quiet',
    '\0report-status push-options',
    '\0report-status\0more',
    '\0report-status delete-refs ofs-delta object-format=sha1',
  ])
  const end = () => usually('', ['\n', '\n\n', '\0', ' '])
  const line = (index: number) => {
    const old = usually(NOTHING, [id()])
    const rest = index === 0 ? features : usually('', [features])
    return pkt(`${old}${usually(' ', ['  '])}${id()} ${ref(chance, odd)}${rest}${end()}`)
  }
  const shallow = usually('', [pkt(`shallow ${id()}${end()}`)])
  const strange = usually('', ['0001', '0002', '0003', '0004', '0005', 'push', pkt('push-cert\0report-status\n'), pkt('')])
  const lines = Array.from({ length: between(0, 4) }, (_, index) => line(index))
  const list = Buffer.from([shallow, strange, ...lines, usually('0000', [''])].join(''), 'latin1')
  return percent(odd) ? chance.damaged(list) : list
}

/** A pack without objects: all of the ids are there already. */
function emptyPack(): Buffer {
  const head = Buffer.from('PACK\0\0\0\u0002\0\0\0\0', 'latin1')
  return Buffer.concat([head, createHash('sha1').update(head).digest()])
}

async function refs(): Promise<Map<string, string>> {
  const { stdout } = await execa('git', ['for-each-ref', '--format=%(refname) %(objectname)'], { cwd: repository })
  return new Map(
    stdout
      .split('\n')
      .filter(Boolean)
      .map((line) => line.split(' ') as [string, string]),
  )
}

async function receivePack(body: Buffer): Promise<Buffer> {
  const git = spawn('git', ['receive-pack', '--stateless-rpc', repository], { stdio: ['pipe', 'pipe', 'ignore'] })
  git.stdin.on('error', () => {})
  git.stdin.end(body)
  const [answer] = await Promise.all([buffer(git.stdout), once(git, 'close')])
  return answer
}

/** What the whole bytes say, however they arrive: more of them may only turn `more` into something else. */
function checkPrefixes(bytes: Buffer, read: typeof readCommands): Commands {
  const last = read(bytes, PREFIX)
  for (let length = 0; length < bytes.length; length += bytes.length > 400 ? 37 : 1) {
    const found = read(bytes.subarray(0, length), PREFIX)
    if (found.state !== 'more') {
      expect(found).toEqual(last)
      break
    }
  }
  return last
}

/** @throws Error when git does with the bytes what they were not let through for */
async function checkWithGit(chance: Chance, bytes: Buffer, found: Commands & { state: 'whole' }): Promise<void> {
  const before = await refs()
  const answer = await receivePack(Buffer.concat([bytes.subarray(0, found.length), emptyPack()]))
  const after = await refs()
  const changed = [...new Set([...before.keys(), ...after.keys()])].filter((name) => before.get(name) !== after.get(name))
  for (const name of changed) {
    expect(isAllowedRef(name, PREFIX)).toBe(true)
    const asked = found.updates.filter((update) => update.ref === name).map(({ newId }) => newId)
    expect(asked).toContain(after.get(name))
  }
  const reader = createReportReader(found.capabilities.includes('side-band-64k'))
  for (const piece of chance.pieces(answer)) reader.take(piece)
  const accepted = reader.accepted()
  expect(accepted).toEqual(expect.arrayContaining(changed))
  for (const name of accepted) expect(found.updates.map((update) => update.ref)).toContain(name)
  for (const name of after.keys()) await execa('git', ['update-ref', '-d', name], { cwd: repository })
}

async function tryPush(chance: Chance, read: typeof readCommands, gitIn100 = 15): Promise<boolean> {
  const list = commandList(chance)
  const found = checkPrefixes(Buffer.concat([list, chance.percent(50) ? emptyPack() : Buffer.alloc(0)]), read)
  if (found.state !== 'whole') return false
  expect(found.length).toBeLessThanOrEqual(list.length)
  for (const { ref, oldId, newId } of found.updates) {
    expect(ref.startsWith(PREFIX)).toBe(true)
    expect(/^[\x21-\x7e]+$/.test(ref)).toBe(true)
    expect([oldId, newId].every((id) => /^[0-9a-f]{40,64}$/.test(id))).toBe(true)
    expect(/^0+$/.test(newId)).toBe(false)
  }
  if (found.updates.length > 0 && chance.percent(gitIn100)) await checkWithGit(chance, list, found)
  return found.updates.length > 0
}

/** A host's report is read the same wherever it is cut; noise is no report, and is not kept. */
function tryReport(chance: Chance): void {
  const updated = Array.from({ length: chance.between(0, 3) }, (_, n) => `${PREFIX}b${n}`)
  const lines = [
    pkt(chance.pick(['unpack ok\n', 'unpack ok'])),
    ...updated.map((name) => pkt(`ok ${name}\n`)),
    pkt(`ng ${PREFIX}no hook\n`),
    '0000',
  ]
  const sideBand = chance.percent(70)
  const band = (number: number, bytes: Buffer) =>
    Buffer.concat([Buffer.from((bytes.length + 5).toString(16).padStart(4, '0')), Buffer.of(number), bytes])
  const noise = () => (chance.percent(50) ? [band(2, Buffer.from('remote: hello\n'))] : [])
  const report = chance.pieces(Buffer.from(lines.join('')))
  const whole = sideBand
    ? Buffer.concat([
        ...report.filter(({ length }) => length > 0).flatMap((piece) => [...noise(), band(1, piece)]),
        Buffer.from('0000'),
      ])
    : Buffer.from(lines.join(''))
  const read = (bytes: Buffer) => {
    const reader = createReportReader(sideBand)
    for (const piece of chance.pieces(bytes)) reader.take(piece)
    return reader.accepted()
  }
  expect(read(whole)).toEqual(updated)
  const damaged = chance.damaged(whole)
  expect(read(damaged)).toEqual(read(damaged))
}

it(
  'what a push asks for is what git does with it, wherever the bytes are cut',
  async () => {
    let pushes = 0
    const tried = await fuzz(async (chance) => {
      if (await tryPush(chance, readCommands)) pushes += 1
      tryReport(chance)
    })
    expect(pushes / tried).toBeGreaterThan(0.05)
  },
  FUZZ_TIMEOUT_MS,
)

it(
  'finds a planted fault: a reader that forgets one of the updates',
  async () => {
    const planted: typeof readCommands = (bytes, prefix) => {
      const found = readCommands(bytes, prefix)
      return found.state === 'whole' && found.updates.length > 1 ? { ...found, updates: found.updates.slice(1) } : found
    }
    await expect(fuzz((chance) => tryPush(chance, planted, 100), 30)).rejects.toThrow(
      /FUZZ_SEED=\d+ failed: (Error|JestAssertionError): .*expect\(/s,
    )
  },
  FUZZ_TIMEOUT_MS,
)
