import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import type { TaskEvent } from '../../contract/api/event.ts'
import { refsOf } from '../support/outside/git-server.ts'
import { giveAccess, type Outside, startOutside } from '../support/systems/outside.ts'
import { answer, bash, call, inTurn, text } from '../worker-image/policies.ts'

/** What one task runs, one call after another: each would have spoilt the next, or the whole turn. */
const COMMANDS = {
  'a process without environment, session or parent':
    "env -i setsid sh -c 'while :; do date >> /tmp/late; sleep 0.01; done' > /dev/null 2>&1 < /dev/null & sleep 0.3; echo left",
  'what it left': 'wc -c < /tmp/late; sleep 0.5; wc -c < /tmp/late; ps -o user= | grep -c -v ps || true',
  'a storm of processes': 'storm() { storm & storm & }; storm; sleep 2; echo calm',
  'after the storm': 'for n in 1 2 3 4 5; do true & wait $!; done; echo ok',
  'the end of all processes': 'echo kept > kept.txt; kill -9 -1',
  'after the end': 'cat kept.txt; kill 1; kill -9 1; echo "exit: $?"',
  'a compiled program': 'printf \'int main(){return 7;}\' > /tmp/a.c && gcc /tmp/a.c -o /tmp/a && /tmp/a; echo "exit: $?"',
  'one that ends every node': 'pkill -9 -f node; pkill -9 node; killall node 2>/dev/null; echo here',
  'much output': 'head -c 30000000 /dev/zero | tr "\\0" x',
  'still more output': 'for n in 1 2 3; do head -c 10000000 /dev/zero | tr "\\0" "$n"; done',
  'a commit of its own': 'git add -A && git commit -qm "Keep it" && git log -1 --format=%s',
  'a push of its own': 'git push -q origin HEAD 2>&1; git push origin HEAD:refs/heads/main 2>&1',
} as const

let outside: Outside
let events: TaskEvent[]
let status: string
let branch: string
let origin: string
let main: string | undefined

beforeAll(async () => {
  const steps = Object.values(COMMANDS).map((command) => answer(bash(command)))
  const server = call('bash', { command: 'python3 -m http.server 7777', background: true })
  const asks = bash('curl -sS --retry 20 --retry-connrefused --retry-delay 1 http://localhost:7777/kept.txt')
  outside = await startOutside({ policy: inTurn(...steps, answer(server), answer(asks), answer(text('All of it was run.'))) })
  const { system, git } = outside
  const repository = await git.addRepository('ada/engine', { files: { 'README.md': '# engine\n' } })
  origin = repository.path
  main = (await refsOf(origin))['refs/heads/main']
  await giveAccess(outside)
  const task = await system.send({ repoUrl: repository.url, prompt: 'Run what is there.' })
  status = (await system.ended(task.id, 150_000)).status
  events = await system.events(task.id)
  branch = String(task.branch)
})
afterAll(() => outside?.stop())

/** @returns how a command ended, by its name; the calls come in its order */
function ended(name: keyof typeof COMMANDS) {
  const all = events.flatMap((event) => (event.type === 'tool.ended' ? [event.data] : []))
  return all[Object.keys(COMMANDS).indexOf(name)]
}

describe('commands of a sandbox', () => {
  it('leave nothing running, whatever a process did to be forgotten', () => {
    expect(ended('a process without environment, session or parent')).toMatchObject({
      output: 'left',
      note: expect.stringMatching(/^It left \d+ process/),
    })
    const [before, after] = (ended('what it left')?.output ?? '').split('\n')
    expect(Number(before)).toBeGreaterThan(0)
    expect(after).toBe(before)
  })

  it('that fork without end are swept at once, and told', () => {
    expect(ended('a storm of processes')?.note).toMatch(/^It left \d+ processes/)
    expect(ended('after the storm')).toMatchObject({ output: 'ok', exitCode: 0 })
  })

  it('that kill every process end no turn: the next one runs, and what was written is there', () => {
    expect(ended('the end of all processes')).toMatchObject({ ok: false, output: expect.stringContaining('all killed') })
    expect(ended('after the end')?.output).toMatch(/^kept\n[\s\S]*not permitted[\s\S]*exit: 1$/)
    expect(ended('one that ends every node')?.output).toMatch(/here$/)
    expect(events.filter(({ type }) => type === 'attempt.started')).toHaveLength(1)
  })

  it('execute what they compile', () => {
    expect(ended('a compiled program')?.output).toBe('exit: 7')
  })

  it('that print much take no room from the work', () => {
    expect(ended('still more output')).toMatchObject({ ok: true, exitCode: 0, outputBytes: 30_000_000 })
    expect(ended('a commit of its own')).toMatchObject({ output: 'Keep it', exitCode: 0 })
  })

  it('reach this task’s branch with git, and no other', async () => {
    expect(ended('a push of its own')?.output).toContain('403')
    expect(Object.keys(await refsOf(origin)).sort()).toEqual([`refs/heads/${branch}`, 'refs/heads/main'])
    expect((await refsOf(origin))['refs/heads/main']).toBe(main)
  })

  it('run in the background beside others, and their servers are local', () => {
    const outputs = events.flatMap((event) => (event.type === 'tool.ended' ? [event.data] : [])).slice(-2)
    expect(outputs).toMatchObject([{ ok: true }, { output: expect.stringMatching(/kept$/), exitCode: 0 }])
  })

  it('all of that is one turn that ends well', () => {
    expect(status).toBe('completed')
    expect(events.flatMap((event) => (event.type === 'turn.ended' ? [event.data] : []))).toMatchObject([
      { outcome: 'completed', reason: 'done', diff: { files: 1 } },
    ])
  })
})
