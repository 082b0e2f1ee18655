import { saidIn, seenByModel } from '../checks/conversation.ts'
import { waitFor } from '../checks/wait.ts'
import { type ModelServer, startModelServer } from './model-server.ts'
import type { ScriptedBlock } from './model-wire.ts'

/** A model that does as much as a test lets it: words, a command, a host that is blocked, a new file, an edit, and commands again. */
export type SteppingModel = ModelServer & {
  /** Lets it do its steps up to this one, counted from 1 over the whole task that began with these words. */
  letGo: (prompt: string, step: number) => void
  /** Steps that were asked for so far. */
  asked: (prompt: string) => number
}

/** Steps of a turn; its last words come after them. */
export const STEPS = 6
const PATIENCE_MS = 300_000

export async function startSteppingModel(key: string): Promise<SteppingModel> {
  const free = new Map<string, number>()
  const asked = new Map<string, number>()
  const server = await startModelServer({
    key,
    policy: async (request) => {
      const lines = seenByModel(request)
      const prompt = saidIn(lines)[0] ?? ''
      const newest = lines.slice(lines.findLastIndex(({ who, text }) => who === 'said' && !text.startsWith('steer')))
      const done = lines.filter(({ who }) => who === 'ran').length
      const doneNow = newest.filter(({ who }) => who === 'ran').length
      asked.set(prompt, done + 1)
      if (doneNow >= STEPS) return { content: [{ type: 'text', text: `All ${done} steps are done.` }] }
      await waitFor(`step ${done + 1} of "${prompt}" to be let go`, () => (free.get(prompt) ?? 0) > done, PATIENCE_MS)
      return { content: [{ type: 'text', text: `Step ${done + 1}: what comes is \`useful\`.` }, stepOf(done + 1)] }
    },
  })
  return {
    ...server,
    letGo: (prompt, step) => void free.set(prompt, step),
    asked: (prompt) => asked.get(prompt) ?? 0,
  }
}

function stepOf(step: number): ScriptedBlock {
  const file_path = '/workspace/repository/notes.txt'
  const use = (name: string, input: unknown): ScriptedBlock => ({ type: 'tool_use', name, input })
  if (step === 2) return use('bash', { command: 'curl --silent --show-error --max-time 5 https://blocked.example.com' })
  if (step === 3) return use('write', { file_path, content: 'one\ntwo\nthree\n' })
  if (step === 4) return use('edit', { file_path, old_string: 'two', new_string: 'second' })
  return use('bash', { command: `echo step ${step}; echo again ${step}` })
}
