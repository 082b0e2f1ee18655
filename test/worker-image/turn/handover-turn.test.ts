import { afterEach, describe, expect, it } from '@jest/globals'
import { execa } from 'execa'
import { refsOf } from '../../support/outside/git-server.ts'
import { type Errand, type ErrandOptions, endOf, startErrand } from '../errand.ts'
import { answer, bash, call, inTurn, text } from '../policies.ts'
import { SOMEBODY } from '../workspace/work-tree.ts'

let errand: Errand
async function start(options: ErrandOptions) {
  errand = await startErrand(options)
  return errand
}
afterEach(async () => {
  await errand.stop()
})

/** Somebody pushes to a branch of the host. */
async function pushedBySomebody(branch: string, script: string): Promise<void> {
  const commands = `git clone -q "$0" "$1"; cd "$1"; git checkout -q "$2" 2>/dev/null || true; ${script}; git add -A; git commit -qm theirs; git push -q origin HEAD:"$2"`
  await execa('bash', ['-ec', commands, errand.origin, `${errand.origin}-${Math.random()}`, branch], { env: SOMEBODY })
}
const filesOn = async (branch: string) =>
  (await execa('git', ['-C', errand.origin, 'ls-tree', '-r', '--name-only', branch])).stdout.split('\n')

describe('the answer to a question', () => {
  it.each([
    ['with a question mark', 'How many tests has this repository?', 'One.'],
    ['in other words', 'Tell me what add.js does.', `It exports add(). ${'It subtracts, which is wrong. '.repeat(10)}`],
  ])('is the summary, and costs no further model call: %s', async (_, prompt, words) => {
    const { run, model } = await start({
      policy: inTurn(answer(bash('ls *.test.js | wc -l')), answer(text(words))),
      assignment: { prompt },
    })
    expect(endOf(await run())).toMatchObject({ outcome: 'completed', reason: 'no_changes', summary: words, message: null })
    expect(model.requests).toHaveLength(2)
  })
})

describe('what is not right at the end', () => {
  it('is told to the model once, and what stays is told to the person', async () => {
    const made =
      'mkdir -p node_modules/x; echo x > node_modules/x/i.js; echo x > debug.py; echo KEY=sk-ant-api03-Zk3Qw9Lm2Xv7Zk3Qw9Lm > .env; echo "it.only(1)" > b.test.js'
    const { run, model, assignment } = await start({ policy: inTurn(answer(bash(made)), answer(text('Done.'))) })
    const { outcome, message } = endOf(await run())
    expect([outcome, model.requests.length, model.refusals]).toEqual(['completed', 3, []])
    for (const name of ['node_modules', 'debug.py', '.env', 'b.test.js']) {
      expect(model.requests[2]?.said).toContain(name)
      expect(message).toContain(name)
    }
    expect(await filesOn(assignment.branch)).toEqual(['add.js', 'add.test.js', 'b.test.js', 'debug.py', 'package.json'])
  })

  it('makes a turn unfinished when it is a merge with conflicts, told as often as the loop allows', async () => {
    const { run, model, origin, assignment } = await start({
      policy: inTurn(
        answer(
          bash(
            'export GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@b GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@b; git checkout -q -b other; echo theirs > add.js; git commit -qam theirs; git checkout -q -; echo ours > add.js; git commit -qam ours; git merge other',
          ),
        ),
        answer(text('Merged main into it')),
      ),
    })
    const end = endOf(await run())
    expect(end).toMatchObject({ outcome: 'failed', reason: 'conflicts_left', message: expect.stringContaining('add.js') })
    expect(model.requests.slice(2).map(({ said }) => said.includes('still in conflict: add.js'))).toEqual([true, true, true])
    const shown = await execa('git', ['-C', origin, 'log', '-1', '--format=%s%n', '-p', assignment.branch])
    expect(shown.stdout).toMatch(/^ours\n[\s\S]*\+ours$/)
  })

  it('is no longer told when the model has mended it', async () => {
    const { run, model } = await start({
      files: { '.gitignore': 'config/local.json\n' },
      policy: inTurn(
        answer(call('write', { file_path: 'config/local.json', content: '{}\n' }), bash('true')),
        answer(text('Done.')),
        answer(bash('git add -f config/local.json')),
        answer(text('Added the file.')),
      ),
    })
    expect(endOf(await run())).toMatchObject({ reason: 'done', message: null, diff: { files: 1 } })
    expect(model.requests[2]?.said).toContain('git ignores these files')
  })

  it('is not done when the only file of the task is one that git ignores', async () => {
    const { run, origin } = await start({
      files: { '.gitignore': 'config/local.json\n' },
      policy: inTurn(
        answer(call('write', { file_path: 'config/local.json', content: '{}\n' }), bash('true')),
        answer(text('Done.')),
      ),
    })
    expect(endOf(await run())).toMatchObject({
      outcome: 'failed',
      reason: 'not_delivered',
      message: expect.stringContaining('config/local.json'),
    })
    expect(Object.keys(await refsOf(origin))).toEqual(['refs/heads/main'])
  })

  it('names code that was changed after the last command', async () => {
    const change = call('write', { file_path: 'new.js', content: '1\n' })
    const { run, model } = await start({ policy: inTurn(answer(bash('true')), answer(change), answer(text('Done.'))) })
    expect(endOf(await run())).toMatchObject({ reason: 'done', message: 'No command was run after the last change of new.js.' })
    expect(model.requests).toHaveLength(4)
    expect(model.requests[3]?.said).toContain('Run the checks again')
  })
})

it('a missing filter and an empty submodule are told at the beginning, and plain text is refused at the end', async () => {
  const { run, model, assignment } = await start({
    files: {
      '.gitattributes': 'secrets/** filter=git-crypt diff=git-crypt\n',
      '.gitmodules': '[submodule "l"]\n\tpath = vendor/l\n\turl = ./l\n',
      a: 'a\n',
    },
    policy: inTurn(answer(bash('mkdir secrets; echo PLAIN > secrets/staging.env; echo b > b')), answer(text('Done.'))),
  })
  expect(endOf(await run())).toMatchObject({ reason: 'done', message: expect.stringMatching(/git-crypt.*secrets\/staging\.env/) })
  expect(model.requests[0]?.said).toMatch(/git filter "git-crypt"[\s\S]*Submodules are not checked out[\s\S]*vendor\/l/)
  expect(await filesOn(assignment.branch)).toEqual(['.gitattributes', '.gitmodules', 'a', 'b'])
})

it.each([
  ['rm -rf .git; echo b > b', 'deleted the .git folder'],
  [
    'echo b > b; rm -rf .git; git init -q; git add .; git -c user.name=a -c user.email=a@b commit -qm new',
    'replaced the .git folder',
  ],
])('a destroyed repository is no crash: the work is on the real branch (%s)', async (script, words) => {
  const { run, model, assignment, origin } = await start({ policy: inTurn(answer(bash(script)), answer(text('Done.'))) })
  expect(endOf(await run())).toMatchObject({ outcome: 'completed', reason: 'done', message: expect.stringContaining(words) })
  expect(model.requests[2]?.said).toContain('.git folder')
  expect(await filesOn(assignment.branch)).toEqual(['add.js', 'add.test.js', 'b', 'package.json'])
  expect((await execa('git', ['-C', origin, 'rev-list', '--count', assignment.branch])).stdout).toBe('2')
})

it('the next turn knows that somebody pushed to the branch meanwhile, and where its own work is', async () => {
  const { run, model, assignment, freshWorkspace, lines, door } = await start({
    policy: inTurn(
      answer(bash('echo one > one')),
      answer(text('One.')),
      async () => {
        await pushedBySomebody(assignment.branch, 'echo theirs > one')
        return answer(bash('echo two > one'))
      },
      answer(text('Two.')),
      answer(text('I see. Nothing is left to do here, is there?')),
    ),
  })
  await run()
  for (const turn of [2, 3]) {
    freshWorkspace()
    lines.length = 0
    Object.assign(assignment, { turn, attempt: turn, hasTranscript: true, prompt: 'Go on?' })
    await run()
    if (turn === 3) break
    expect(endOf(lines)).toMatchObject({
      reason: 'done',
      message: expect.stringMatching(/Somebody changed the branch.*both changed one/),
    })
  }
  expect(model.requests.at(-1)?.said).toMatch(/Somebody changed the branch.*aside-/)
  expect(door.log.join('')).not.toContain('push.refused')
})

it('an attempt that continues the same turn knows what was left out when the sandbox before it was closed', async () => {
  const { run, model, assignment, freshWorkspace } = await start({
    policy: inTurn(answer(bash('echo K=1 > .env; echo b > b')), answer(text('Done.'))),
  })
  await run()
  freshWorkspace()
  Object.assign(assignment, { attempt: 2, hasTranscript: true })
  await run()
  expect(model.requests.find(({ said }) => said.includes('your turn was interrupted'))?.said).toMatch(/handed over.*\.env/)
})
