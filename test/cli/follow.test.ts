import { setTimeout as pause } from 'node:timers/promises'
import { stripVTControlCharacters } from 'node:util'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { waitFor } from '../support/checks/wait.ts'
import { startPlainProxy } from '../support/outside/plain-proxy.ts'
import { END, SCRIPTED_TASK, type ScriptedServer, startScriptedServer, TEXT } from '../support/scripted/scripted-server.ts'
import { errand, startErrand } from '../support/systems/command-line.ts'

describe('following a task', () => {
  let server: ScriptedServer
  const run = (...flags: string[]) =>
    startErrand(['run', '--repo', 'https://example.org/a/b', ...flags, 'do it'], { env: server.env })
  const seqsOf = (out: string) =>
    out
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { seq: number }).seq)
  const upTo = (n: number) => Array.from({ length: n }, (_, i) => i + 1)

  beforeEach(async () => {
    server = await startScriptedServer()
  })
  afterEach(() => server.kill())

  it('prints every event as one line of JSON, exactly once, in order, and nothing else', async () => {
    for (let i = 0; i < 20; i++) server.emit(TEXT(`line ${i}\nwith a break`))
    const running = run('--json')
    await waitFor('the replay', () => running.out().includes('"seq":20'))
    server.emit(TEXT('sent twice'), { twice: true })
    server.emitElsewhere()
    server.emitDelta({ attempt: 1, offset: 0, text: 'not an event' })
    server.emit(END('completed'))
    const { exit, out, err } = await running.ended
    expect(
      out
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as unknown),
    ).toEqual(server.stored)
    expect([exit, err]).toEqual([0, ''])
  })

  it('fills a hole by asking again', async () => {
    const running = run('--json')
    await waitFor('a connection', () => server.connections() > 0)
    server.emit(TEXT('one'))
    await waitFor('the first event', () => running.out().includes('"seq":1'))
    server.emit(TEXT('forgotten'), { forget: true })
    server.emit(TEXT('three'))
    server.emit(END('completed'))
    expect(seqsOf((await running.ended).out)).toEqual([1, 2, 3, 4])
  })

  it('goes on where a proxy lets no WebSocket pass', async () => {
    const proxy = await startPlainProxy()
    proxy.leadTo(server.url)
    try {
      const env = { ERRAND_URL: proxy.url, ERRAND_TOKEN: server.token }
      const running = startErrand(['run', '--repo', 'https://example.org/a/b', '--json', 'do it'], { env })
      await waitFor('a connection', () => server.connections() > 0)
      server.emit(TEXT('one'))
      server.emit(END('completed'))
      expect(seqsOf((await running.ended).out)).toEqual([1, 2])
      expect(proxy.refused()).toBeGreaterThan(0)
    } finally {
      await proxy.stop()
    }
  })

  it('ends with the whole list although connections drop and events are forgotten at random', async () => {
    const running = run('--json')
    await waitFor('a connection', () => server.connections() > 0)
    for (let i = 1; i < 125; i++) {
      server.emit(TEXT(`${i}`), { forget: i % 5 === 0, twice: i % 7 === 0 })
      if (i % 20 === 0) {
        await waitFor('a connection to drop', () => server.connections() > 0)
        server.dropConnections()
      }
      await pause(10)
    }
    server.emit(END('completed'))
    const { out, exit } = await running.ended
    expect(seqsOf(out)).toEqual(upTo(125))
    expect(exit).toBe(0)
  })

  it('goes on after the server was killed and started again, with one calm line about it', async () => {
    const running = run()
    await waitFor('a connection', () => server.connections() > 0)
    server.emit(TEXT('before'))
    await waitFor('the first text', () => running.out().includes('before'))
    await server.kill()
    server.emit(TEXT('meanwhile'))
    await waitFor('a word about it', () => running.out().includes('connection lost'))
    await server.start()
    await waitFor('what was missed', () => running.out().includes('meanwhile'))
    server.emit(END('completed'))
    const { out, exit } = await running.ended
    expect(out.match(/before|meanwhile|connection lost|reconnected/g)).toEqual([
      'before',
      'connection lost',
      'reconnected',
      'meanwhile',
    ])
    expect(exit).toBe(0)
  })

  it.each([
    ['completed', 0],
    ['failed', 1],
    ['cancelled', 3],
  ] as const)('tells by its exit code that the task is %s', async (status, exit) => {
    server.emit(END(status))
    expect((await errand(['show', SCRIPTED_TASK, '--follow'], { env: server.env })).exit).toBe(exit)
    expect((await run('--json').ended).exit).toBe(exit)
  })

  it('says once that no runner is there, and again when it happens again', async () => {
    const running = run()
    await waitFor('a connection', () => server.connections() > 0)
    server.emitTask({ status: 'pending', reason: 'no_runner', reasonText: 'Start a runner.' })
    server.emitTask({ status: 'pending', reason: 'no_runner', reasonText: 'Start a runner.' })
    server.emitTask({ status: 'running', reason: null, reasonText: null })
    server.emitTask({ status: 'pending', reason: 'no_runner', reasonText: 'Start a runner.' })
    server.emit(END('completed'))
    expect((await running.ended).out.match(/! Start a runner\./g)).toHaveLength(2)
  })

  it('leaves on Ctrl-C with the way back, and the task goes on', async () => {
    const running = run()
    await waitFor('a connection', () => server.connections() > 0)
    running.interrupt()
    const { exit, err } = await running.ended
    expect(exit).toBe(130)
    expect(err).toContain(`errand show --follow ${SCRIPTED_TASK}`)
    await waitFor('the connection to be closed', () => server.connections() === 0)
  })

  it.each(['door', 'watch'] as const)(
    'waits when the server refuses at the %s just now, says why once, and goes on',
    async (what) => {
      server.emit(TEXT('at last'))
      server.refuseNext(what, 2)
      const running = run()
      await waitFor('the text', () => running.out().includes('at last'))
      server.emit(END('completed'))
      const { out, exit } = await running.ended
      expect([out.match(/! You have too many of them\./g)?.length, exit]).toEqual([1, 0])
      server.refuseNext(what, 1)
      const { err } = await errand(['show', SCRIPTED_TASK, '--follow', '--json'], { env: server.env })
      expect(err).toBe('You have too many of them.\n')
    },
  )

  it('says so when the token is refused in the middle', async () => {
    const running = run()
    await waitFor('a connection', () => server.connections() > 0)
    running.interrupt()
    await running.ended
    const { exit, err } = await errand(['show', SCRIPTED_TASK, '--follow'], { env: { ...server.env, ERRAND_TOKEN: 'old' } })
    expect([exit, err]).toEqual([4, expect.stringMatching(/refused by http/)])
  })

  it('shows on a terminal what is spent and the limit, as they change, and elsewhere nothing of it', async () => {
    const env = server.env
    const running = startErrand(['show', SCRIPTED_TASK, '--follow'], { env, terminal: { columns: 80, rows: 24 } })
    const piped = startErrand(['show', SCRIPTED_TASK, '--follow'], { env })
    await waitFor('both connections', () => server.connections() > 1)
    const usage = { inputTokens: 1, outputTokens: 1, cacheReadTokens: 0, cacheWriteTokens: 0, costUsd: 1.25 }
    server.emitTask({ usage, budgetUsd: 5 })
    await waitFor('what is spent', () => running.out().includes('$1.25 of $5.00'))
    server.emitTask({ usage: { ...usage, costUsd: 1.5 }, budgetUsd: 9 })
    await waitFor('the new limit', () => running.out().includes('$1.50 of $9.00'))
    server.emit(END('completed'))
    await running.ended
    expect((await piped.ended).out).not.toContain(' of $')
  })

  it('shows on a terminal what is being written, and replaces it by the text itself', async () => {
    const running = startErrand(['show', SCRIPTED_TASK, '--follow'], { env: server.env, terminal: { columns: 80, rows: 24 } })
    await waitFor('a connection', () => server.connections() > 0)
    server.emitDelta({ attempt: 1, offset: 0, text: 'Half a ' })
    server.emitDelta({ attempt: 1, offset: 7, text: 'sentence' })
    await waitFor('the pieces', () => running.out().includes('Half a sentence'))
    server.emit(TEXT('Half a sentence, and the rest.'))
    await waitFor('the text', () => running.out().includes('and the rest.'))
    server.emit(END('completed'))
    const { out } = await running.ended
    const final = screenOf(out)
    expect(final.filter((line) => line.includes('Half a sentence'))).toEqual(['Half a sentence, and the rest.'])
    expect(final.join('\n')).not.toMatch(/[⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏]/)
  })
})

/** What a terminal shows in the end: lines, going one up and clearing it, and colours are all that is used. */
function screenOf(out: string): string[] {
  const lines: string[] = []
  for (const part of out.split(/(?=\p{Cc}\[1A\p{Cc}\[2K)/u)) {
    if (/^\p{Cc}\[1A/u.test(part)) lines.pop()
    lines.push(...stripVTControlCharacters(part).split('\n').slice(0, -1))
  }
  return lines
}
