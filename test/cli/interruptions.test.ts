import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { waitFor } from '../support/checks/wait.ts'
import { SCRIPTED_TASK, type ScriptedServer, startScriptedServer } from '../support/scripted/scripted-server.ts'
import { errand, startErrand } from '../support/systems/command-line.ts'

const COMMANDS = [['diff', SCRIPTED_TASK], ['bundle', SCRIPTED_TASK], ['show', SCRIPTED_TASK], ['list']]
const LOST = /^errand: The connection to http\S+ was lost .*\n$/
const TERMINAL = { columns: 80, rows: 24 }

describe('the command line, in the middle of an answer', () => {
  let server: ScriptedServer

  beforeEach(async () => {
    server = await startScriptedServer()
  })
  afterEach(() => server.kill())

  it.each(COMMANDS)('leaves %s at the first Ctrl-C', async (...argv) => {
    server.spoilNextAnswers('hang', 1)
    const running = startErrand(argv, { env: server.env })
    const flows = ['diff', 'bundle'].includes(argv[0] ?? '')
    await waitFor('the begin of the answer', () => (flows ? running.out() : server.spoiled()))
    running.interrupt()
    expect(await running.ended).toMatchObject({ exit: 130, err: 'errand: Interrupted.\n' })
  })

  it.each(COMMANDS)('says of %s that the connection was lost', async (...argv) => {
    server.spoilNextAnswers('cut', 1)
    const { exit, err } = await errand(argv, { env: server.env })
    expect({ exit, err }).toEqual({ exit: 4, err: expect.stringMatching(LOST) })
  })

  it('shows no part of a patch on a terminal as if it were the whole', async () => {
    server.spoilNextAnswers('cut', 1)
    const cut = await errand(['diff', SCRIPTED_TASK], { env: server.env, terminal: TERMINAL })
    expect(cut).toEqual({ exit: 4, out: '', err: expect.stringMatching(LOST) })
    expect((await errand(['diff', SCRIPTED_TASK], { env: server.env, terminal: TERMINAL })).out).toContain('+b')
  })

  it('sends a task again whose answer was cut off, and it is one', async () => {
    server.spoilNextAnswers('cut', 2)
    const { exit, out } = await errand(['run', '--repo', 'https://example.org/a/b', '--detach', 'do it'], { env: server.env })
    expect([exit, out, server.created.size]).toEqual([0, `${SCRIPTED_TASK}\n`, 1])
  })

  it('waits for a token no longer at the first Ctrl-C', async () => {
    const running = startErrand(['credentials', 'set', 'github.com'], { env: server.env, stdin: null })
    running.interrupt()
    expect(await running.ended).toMatchObject({ exit: 130, err: 'errand: Interrupted.\n' })
  })
})
