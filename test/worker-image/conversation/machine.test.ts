import { afterEach, describe, expect, it } from '@jest/globals'
import { machineText } from '../../../worker-image/conversation/machine.ts'
import { SYSTEM } from '../../../worker-image/conversation/prompt.ts'
import { type Errand, startErrand } from '../errand.ts'
import { answer, inTurn, text } from '../policies.ts'

const MACHINE = { cpus: 2, memoryMb: 4096, workspaceMb: 512, allowedHosts: [] as string[] }

describe('what the model is told of its machine', () => {
  const textOf = (change: Partial<typeof MACHINE> = {}) =>
    machineText({ machine: { ...MACHINE, ...change }, timeLimitMs: 3_600_000 }) ?? ''

  it('are its processors, memory and disk, in plain words', () => {
    expect(textOf()).toContain(
      'Processors: 2. Memory: 4 GB for all processes and files together. Disk for the repository and what is installed in it: 512 MB.',
    )
    expect(textOf({ cpus: 1.5, memoryMb: 1536 })).toContain('Processors: 1.5. Memory: 1.5 GB')
  })

  it('is the time of the turn and of a command, and how long an install takes', () => {
    expect(textOf()).toMatch(
      /this turn may take 60 minutes.*timeout_ms; the largest is \d+.*Installing packages takes 30 to 120 s.*a timeout_ms of 300000/,
    )
  })

  it('are the registries and hosts that work, and those that do not', () => {
    expect(textOf()).toContain('Package registries that work: npm. Not reachable: pip (Python), cargo')
    expect(textOf()).toContain('No other host can be reached.')
    const some = textOf({ allowedHosts: ['pypi.org', '.pythonhosted.org', 'example.org'] })
    expect(some).toContain('that work: npm, pip (Python). Not reachable: cargo (Rust)')
    expect(some).toContain('Hosts that can be reached, over https alone: pypi.org, all below pythonhosted.org, example.org.')
    expect(textOf({ allowedHosts: ['pypi.org', '.nothosted.org'] })).toContain('that work: npm. Not reachable: pip')
  })

  it('is nothing when the runner does not say', () => {
    expect(machineText({ timeLimitMs: 1000 })).toBeNull()
  })
})

describe('a conversation', () => {
  let errand: Errand
  afterEach(() => errand.stop())

  it('has it in its first message, and again only when another machine goes on; never in the system text', async () => {
    errand = await startErrand({
      assignment: { machine: MACHINE },
      policy: inTurn(...['One', 'Two', 'Three'].map((word) => answer(text(`${word}\n\nNothing to change.`)))),
    })
    const { model, assignment } = errand
    await errand.run()
    expect(JSON.stringify(model.requests[0]?.body.messages)).toContain('This machine:')
    for (const [turn, cpus] of [
      [2, 2],
      [3, 8],
    ] as const) {
      Object.assign(assignment, {
        hasTranscript: true,
        turn,
        attempt: turn,
        prompt: `message ${turn}`,
        messageId: `m${turn}`,
        machine: { ...MACHINE, cpus },
      })
      errand.freshWorkspace()
      const before = model.requests.length
      await errand.run()
      const first = model.requests[before]?.said ?? ''
      expect(first).toContain(`message ${turn}`)
      expect(first.includes('This machine:')).toBe(cpus === 8)
    }
    expect(model.refusals).toEqual([])
    for (const { body } of model.requests)
      expect(JSON.stringify(body.system)).toBe(
        JSON.stringify([{ type: 'text', text: SYSTEM, cache_control: { type: 'ephemeral' } }]),
      )
  })
})
