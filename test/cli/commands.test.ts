import { cp, mkdir, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { execa } from 'execa'
import { END, SCRIPTED_TASK, type ScriptedServer, startScriptedServer, TEXT } from '../support/scripted/scripted-server.ts'
import { folderForEach } from '../support/systems/closing.ts'
import { errand } from '../support/systems/command-line.ts'
import { freePort } from '../support/systems/temporary.ts'

const RUN = ['run', '--repo', 'https://example.org/a/b', '--detach']

describe('the command line', () => {
  const folder = folderForEach()
  let server: ScriptedServer

  beforeEach(async () => {
    server = await startScriptedServer()
  })
  afterEach(() => server.kill())

  it('sends one task however often the answer is lost on the way', async () => {
    server.cutNextAnswers(2)
    const { exit, out } = await errand([...RUN, 'do', 'it'], { env: server.env })
    expect([exit, out]).toEqual([0, `${SCRIPTED_TASK}\n`])
    expect([...server.created.values()].map((task) => task.prompt)).toEqual(['do it'])
  })

  it('lists the tasks of a status by the word that is shown, and by the word of the API', async () => {
    for (const status of ['waiting', 'pending', 'completed'])
      expect((await errand(['list', '--status', status], { env: server.env })).exit).toBe(0)
    const { exit, err } = await errand(['list', '--status', 'odd'], { env: server.env })
    expect([exit, err]).toEqual([2, expect.stringContaining('[--status waiting|running|completed|failed|cancelled]')])
  })

  it.each([
    [['run', '--repo', 'https://example.org/a/b'], /PROMPT is missing/],
    [['run', 'do it'], /Name a repository with --repo/],
    [[...RUN, '   '], /prompt: describe what the agent should do/],
    [[...RUN, '--budget', 'lots', 'x'], /--budget: must be a number, in US dollars/],
    [[...RUN, '--budget', '', 'x'], /--budget: must be more than 0/],
    [[...RUN, '--model', 'gpt', 'x'], /--model: /],
    [[...RUN, '--effort', 'huge', 'x'], /--effort: /],
    [[...RUN, '--colour', 'x'], /Usage: errand run/],
    [['show'], /ID is missing/],
    [['show', 'a', 'b'], /“b” is unexpected/],
    [['budget', 'tsk_none'], /USD is missing/],
    [['budget', SCRIPTED_TASK, 'lots'], /USD: must be a number/],
    [['list', '--status', 'odd'], /no status “odd”/],
    [['token'], /Usage: errand token/],
    [['dance'], /Unknown command “dance”/],
    [['run', '--repo', 'http://evil/a/b', 'x'], /does not allow that host/],
    [['show', 'tsk_none'], /task not found/i],
    [['show', 'tsk_none', '--follow'], /task not found/i],
    [['cancel', SCRIPTED_TASK], /has ended/],
  ])('refuses %j with exit code 2, and says why', async (argv, why) => {
    const { exit, out, err } = await errand(argv, { env: server.env })
    expect({ exit, out }).toEqual({ exit: 2, out: '' })
    expect(err).toMatch(why)
  })

  it('ends with exit code 4 when there is no server, no answer or no access, and says what to do', async () => {
    const nowhere = await errand(['list'], { home: folder.path })
    expect([nowhere.exit, nowhere.err]).toEqual([4, expect.stringContaining('npm start')])
    const silent = await errand(['list'], { env: { ...server.env, ERRAND_URL: `http://127.0.0.1:${await freePort()}` } })
    expect([silent.exit, silent.err]).toEqual([4, expect.stringMatching(/ECONNREFUSED.*npm start/)])
    const refused = await errand(['list'], { env: { ...server.env, ERRAND_TOKEN: 'old' } })
    expect([refused.exit, refused.err]).toEqual([4, expect.stringContaining('token in use was refused')])
    const tokenless = await errand(['list'], { env: { ERRAND_URL: server.url } })
    expect([tokenless.exit, tokenless.err]).toEqual([4, expect.stringContaining('ERRAND_TOKEN')])
  })

  it('takes the beginning of an id while only one task begins so', async () => {
    server.addToList(SCRIPTED_TASK, 'tsk_aaaaaaaaaaaaaaab', 'tsk_k3faaaaaaaaaaaaa')
    server.emit(END('failed'))
    const show = (id: string) => errand(['show', id, '--json'], { env: server.env })
    expect(await show('tsk_a')).toMatchObject({
      exit: 2,
      out: '',
      err: expect.stringContaining(`\n  ${SCRIPTED_TASK}\n  tsk_aaaaaaaaaaaaaaab`),
    })
    expect(await show('zz')).toMatchObject({ exit: 2, err: expect.stringContaining('Task not found: tsk_zz') })
    expect((await errand(['diff', 'k3f'], { env: server.env })).err).toMatch(/task not found/i)
    expect((await errand(['diff', SCRIPTED_TASK.slice(4)], { env: server.env })).out).toBe('-a\n+b\n')
  })

  it('says which version it is', async () => {
    const home = fileURLToPath(new URL('../..', import.meta.url))
    expect(await errand(['--version'], { home })).toEqual({
      exit: 0,
      out: expect.stringMatching(/^errand \d+\.\d+\.\d+\n$/),
      err: '',
    })
  })

  it('finds the server by server.json, in ERRAND_DATA_DIR or in .errand of its own folder', async () => {
    const dataDir = join(folder.path, '.errand')
    await mkdir(dataDir)
    await writeFile(join(dataDir, 'server.json'), JSON.stringify({ url: server.url, token: server.token, pids: [] }))
    expect((await errand(['list'], { home: folder.path })).exit).toBe(0)
    expect((await errand(['list'], { env: { ERRAND_DATA_DIR: dataDir } })).exit).toBe(0)
    expect((await errand(['list'], { home: folder.path, env: { ERRAND_DATA_DIR: '.errand' } })).exit).toBe(0)
    expect((await errand(['list'], { home: folder.path, env: { ERRAND_DATA_DIR: '/nonexistent' } })).exit).toBe(4)
  })

  it('takes the token of a named server from the data folder beside it, when there is one', async () => {
    await writeFile(join(folder.path, 'owner-token'), `${server.token}\n`)
    expect((await errand(['list'], { env: { ERRAND_URL: server.url, ERRAND_DATA_DIR: folder.path } })).exit).toBe(0)
  })

  describe('beside a checkout of its own', () => {
    beforeEach(async () => {
      const root = fileURLToPath(new URL('../..', import.meta.url))
      for (const name of ['bin', 'cli', 'client', 'contract', 'package.json'])
        await cp(join(root, name), join(folder.path, name), { recursive: true })
      await symlink(join(root, 'node_modules'), join(folder.path, 'node_modules'))
    })

    const list = (cwd: string) =>
      execa('node', [join(folder.path, 'bin/errand.mjs'), 'list'], { cwd, env: { ERRAND_DATA_DIR: undefined }, reject: false })
    const keepServerFile = async (dataDir: string) => {
      await mkdir(dataDir, { recursive: true })
      await writeFile(join(dataDir, 'server.json'), JSON.stringify({ url: server.url, token: server.token }), { mode: 0o600 })
    }

    it('reads the .env that npm start reads', async () => {
      await keepServerFile(join(folder.path, 'kept'))
      expect((await list('/')).exitCode).toBe(4)
      await writeFile(join(folder.path, '.env'), 'ERRAND_DATA_DIR=kept\n')
      expect(await list('/')).toMatchObject({ exitCode: 0 })
    })

    it('believes no server.json of the folder that one stands in: a cloned repository may bring one', async () => {
      const cloned = join(folder.path, 'cloned')
      await keepServerFile(join(cloned, '.errand'))
      expect(await list(cloned)).toMatchObject({ exitCode: 4, stderr: expect.stringContaining('Found no running Errand') })
    })

    it('runs no code of that folder: its tsconfig.json may name some', async () => {
      const cloned = join(folder.path, 'cloned')
      await mkdir(cloned)
      await writeFile(join(cloned, 'tsconfig.json'), '{"compilerOptions":{"paths":{"zod":["./theirs.ts"]}}}')
      await writeFile(join(cloned, 'theirs.ts'), 'console.log("theirs ran"); process.exit(0)')
      expect(await list(cloned)).toMatchObject({ exitCode: 4, stdout: '' })
    })
  })

  it('shows the stored events page by page, as lines of JSON or to read', async () => {
    for (let i = 0; i < 25; i++) server.emit(TEXT(`text ${i}`))
    server.emit(END('failed'))
    const json = await errand(['show', SCRIPTED_TASK, '--json'], { env: server.env })
    expect(
      json.out
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as unknown),
    ).toEqual(server.stored)
    const { out, exit } = await errand(['show', SCRIPTED_TASK], { env: server.env })
    expect(out).toMatch(/text 0\n[\s\S]*text 24\n[\s\S]*✗ failed\n[\s\S]*budget of this task is used up/)
    expect(exit).toBe(0)
  })

  it('hands the patch on byte for byte, and makes sign-in links', async () => {
    expect((await errand(['diff', SCRIPTED_TASK], { env: server.env })).out).toBe('-a\n+b\n')
    expect((await errand(['link'], { env: server.env })).out).toBe('http://127.0.0.1/auth/link?code=1\n')
  })

  it('refuses a git token that does not come, or a host that is none, before anything is sent', async () => {
    const set = (host: string, stdin: string) => errand(['credentials', 'set', host], { env: server.env, stdin })
    expect(await set('github.com', '')).toMatchObject({ exit: 2, err: expect.stringContaining('No token on standard input') })
    expect(await set('https://github.com', 'tok')).toMatchObject({ exit: 2, err: expect.stringContaining('host: ') })
  })

  it('runs as a program, explains itself, and lets its reader go', async () => {
    const program = fileURLToPath(new URL('../../bin/errand.mjs', import.meta.url))
    const { stdout } = await execa('node', [program, 'help'])
    expect(stdout).toMatch(/0 completed {3}1 failed {3}3 cancelled {3}130/)
    for (let i = 0; i < 3_000; i++) server.emit(TEXT('a long story '.repeat(20)))
    const cut = await execa('bash', ['-c', `"$0" "$1" show ${SCRIPTED_TASK} | head -1`, process.execPath, program], {
      env: server.env,
    })
    expect([cut.exitCode, cut.stderr]).toEqual([0, ''])
  })
})
