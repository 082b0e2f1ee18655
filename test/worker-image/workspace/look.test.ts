import { describe, expect, it } from '@jest/globals'
import { checkoutFault, commitFault, fault } from '../../../worker-image/workspace/fault.ts'
import { readPatch } from '../../../worker-image/workspace/look/added-lines.ts'
import { isGenerated } from '../../../worker-image/workspace/look/file-names.ts'
import { problemsOf } from '../../../worker-image/workspace/look/judge.ts'
import { inLines, look } from '../../../worker-image/workspace/look/look.ts'
import { isSecretFile, secretIn } from '../../../worker-image/workspace/look/secrets.ts'
import { makeWorkTree } from './work-tree.ts'

/** Random enough to be a key, and nobody's. Put together here, so that no scanner takes this file for a leak. */
const RANDOM = 'Zk3Qw9Lm2Xv7Rt5Yp8Bn4Hs6Jd1Gf0Kc'
const BODY = 'MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQ'.repeat(3)
const PEM = `${'-----BEGIN'} RSA PRIVATE KEY-----\n${BODY}\n${'-----END'} RSA PRIVATE KEY-----\n`

describe('a secret', () => {
  it.each([
    ['an Anthropic key', `sk-ant-api03-${RANDOM}`],
    ['an OpenAI key', `sk-proj-${RANDOM}`],
    ['a GitHub token', `ghp_${RANDOM}abcd`],
    ['a GitHub token', `github_pat_${RANDOM}_${RANDOM}`],
    ['a GitLab token', `glpat-${RANDOM}`],
    ['an AWS key', `AKIA${'Z3QW9LM2XV7RT5YP'}`],
    ['a Google key', `AIza${RANDOM}abc`],
    ['a Slack token', `xoxb-${RANDOM}`],
    ['a Stripe key', `sk_live_${RANDOM}`],
    ['an npm token', `npm_${RANDOM}abcd`],
    ['a private key', PEM],
    ['a private key', JSON.stringify(PEM)],
  ])('is found: %s', (what, text) => {
    expect(secretIn('src/config.ts', `const key = "${text}"`)).toBe(what)
  })

  it.each([
    ['a placeholder', 'src/a.ts', `sk-ant-${'x'.repeat(40)}`],
    ['an example of the maker', 'src/a.ts', 'AKIAIOSFODNN7EXAMPLE'],
    ['a made-up key in a test', 'test/a.test.ts', `ghp_fake${RANDOM}`],
    ['a made-up key in the docs', 'docs/setup.md', `sk-ant-test-${RANDOM}`],
    ['a key for tests of TLS', 'test/fixtures/server.key', PEM],
    ['a public key', 'src/a.ts', PEM.replaceAll('PRIVATE', 'PUBLIC')],
    ['a checker of keys', 'src/a.ts', "if (text.includes('-----BEGIN RSA PRIVATE KEY-----')) warn()"],
    ['a hash', 'src/a.ts', 'sha512-Zk3Qw9Lm2Xv7Rt5Yp8Bn4Hs6Jd1Gf0Kc'],
  ])('is not seen in %s', (_, path, text) => {
    expect(secretIn(path, text)).toBeNull()
  })

  it('is in some files by their name', () => {
    const names = ['.env', 'web/.env.production', '.env.local', '.ssh/id_ed25519', 'release.p12', '.netrc']
    expect(names.filter((name) => !isSecretFile(name))).toEqual([])
    expect(['.env.example', '.env.sample.local', 'env.ts', 'id_rsa.pub', 'a.env.ts', '.envrc'].filter(isSecretFile)).toEqual([])
  })
})

it('reads the added lines of a patch, whatever they look like', () => {
  const patch = [
    'diff --git a/a b b/a b',
    '--- a/a b\t',
    '+++ b/a b\t',
    '@@ -1 +1,2 @@',
    '-old',
    '--- not a heading',
    '+new',
    '+++ b/not a heading',
    '\\ No newline at end of file',
    'diff --git a/bin b/bin',
    'Binary files a/bin and b/bin differ',
    'diff --git a/gone b/gone',
    '--- a/gone',
    '+++ /dev/null',
    '@@ -1 +0,0 @@',
    '-x',
  ].join('\n')
  expect([...readPatch(patch)].filter(([, text]) => text !== '')).toEqual([['a b', 'new\n++ b/not a heading']])
})

it.each(["it.only('x', f)", "describe.only('x', f)", 'test.concurrent.only(`x`, f)', "fdescribe('x', f)"])(
  'a test that runs alone: %s',
  (line) => {
    const of = (path: string, text: string) => inLines(new Map([[path, text]]))
    expect(of('src/a.test.ts', line)).toMatchObject([{ kind: 'only', paths: ['src/a.test.ts'] }])
    expect([...of('src/a.ts', line), ...of('a.test.ts', `say("${line.replaceAll('"', "'")}")`)]).toEqual([])
  },
)

it('what builds and tools make is not missed when git ignores it, and what people write is', () => {
  const generated = [
    'node_modules/x/i.js',
    'dist/a.js',
    '.next/cache/x',
    'a/__pycache__/b.pyc',
    'x.log',
    '.DS_Store',
    'target/debug/a',
  ]
  expect(generated.filter((path) => !isGenerated(path))).toEqual([])
  expect(['config/local.json', 'settings.local.py', 'notes/todo.md', '.env'].filter(isGenerated)).toEqual([])
})

it('the model is told in the order of weight, and of many paths a few', () => {
  const paths = Array.from({ length: 7 }, (_, index) => `f${index}`)
  const texts = problemsOf([
    { kind: 'scratch', paths, detail: null },
    { kind: 'conflict', paths: ['a'], detail: null },
    { kind: 'dirty', paths: ['d'], detail: null },
  ]).map(({ text }) => text)
  expect(texts).toEqual([
    expect.stringMatching(/in conflict: a\./),
    'These new files look like leftovers: f0, f1, f2, f3, f4 and 2 more.',
  ])
})

describe('why git failed', () => {
  const filler = 'error: unable to write file f\n'.repeat(100)
  // As git 2.39 wrote them on a file system of 20 MB.
  it.each([
    [
      'a fetch',
      fault,
      `fatal: unable to write loose object file: No space left on device\nfatal: unpack-objects failed\n${filler}`,
    ],
    ['a fetch of a pack', fault, 'fatal: write error: No space left on device\nfatal: fetch-pack: invalid index-pack output\n'],
    ['a checkout', checkoutFault, `${filler}fatal: sha1 file '/w/.git/index.lock' write error. Out of diskspace\n`],
    ['a checkout of one file', checkoutFault, 'error: unable to write file f2\n'],
    ['a commit', commitFault, 'fatal: unable to write new_index file: No space left on device\n'],
  ])('%s on a full disk is not the git host’s fault', (_, read, stderr) => {
    expect(read({ code: 128, stderr })).toMatchObject({ outcome: 'failed', reason: 'out_of_disk' })
  })

  it('what happens within the sandbox is not the git host’s fault either', () => {
    expect(checkoutFault({ code: 128, stderr: "error: invalid path 'a:b'\n" }).reason).toBe('checkout_failed')
    expect(commitFault({ code: 128, stderr: 'fatal: index file smaller than expected\n' }).reason).toBe('commit_failed')
  })

  it('is told without an address of the sandbox', () => {
    const url = 'http://127.0.0.1:8080/git/repository.git'
    const stderr = `To ${url}\nremote: protected\nfatal: unable to access '${url}/': gone\nerror: failed to push some refs to '${url}'\n`
    expect(fault({ code: 128, stderr }).message).toBe('protected\nfatal: unable to access the git host: gone')
  })
})

it('asks git each question once, however many parts want the answer', async () => {
  const tree = await makeWorkTree()
  try {
    const workspace = await tree.openedWith('echo a > a.txt')
    await tree.inTree('echo b > a.txt; echo c > new.txt')
    const asked: string[] = []
    const git: typeof tree.git = (args, options) => {
      asked.push(args.join(' '))
      return tree.git(args, options)
    }
    const { isChanged } = await look(git, { directory: tree.directory, workspace, written: ['new.txt'], untested: [] })
    expect(isChanged).toBe(true)
    expect(asked.filter((question, at) => asked.indexOf(question) < at)).toEqual([])
  } finally {
    await tree.folder.remove()
  }
})
