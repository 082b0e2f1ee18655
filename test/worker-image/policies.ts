import type { Policy, SeenRequest } from '../support/outside/model-server.ts'
import type { Reply, ScriptedBlock, StreamFault } from '../support/outside/model-wire.ts'

export function text(value: string): ScriptedBlock {
  return { type: 'text', text: value }
}
export function call(name: string, input: unknown): ScriptedBlock {
  return { type: 'tool_use', name, input }
}
export function bash(command: string): ScriptedBlock {
  return call('bash', { command })
}
export function answer(...content: ScriptedBlock[]): Reply {
  return { content }
}
export function faulty(fault: StreamFault, ...content: ScriptedBlock[]): Reply {
  return { content, fault }
}

export const SUMMARY = 'Add instead of subtracting\n\nadd() subtracted. `node --test` failed before and passes now.'

/**
 * A policy that finds the failing test in the test's own output, reads the file that it names, mends the operator it finds there, and
 * is done when the tests pass.
 */
export const mends: Policy = ({ results }): Reply => {
  const last = results.at(-1)?.text ?? ''
  if (/# fail 0|ℹ fail 0/.test(last)) return answer(text(SUMMARY))
  if (last.startsWith('Edited')) return answer(bash('node --test'))
  const shown = /\t(.*a - b.*)$/m.exec(last)?.[1]
  if (shown) return answer(call('edit', { file_path: 'add.js', old_string: shown, new_string: shown.replace('-', '+') }))
  if (/not ok|✖/.test(last)) return answer(text('The test of add fails.'), call('read', { file_path: 'add.js' }))
  return answer(text('I run the tests.'), bash('node --test'))
}

/** Answers each request with the next; the last one again and again. */
export function inTurn(...replies: Array<Reply | Policy>): Policy {
  let next = 0
  return (request: SeenRequest) => {
    const reply = replies[Math.min(next, replies.length - 1)]
    next += 1
    if (reply === undefined) throw new Error('inTurn needs a reply')
    return typeof reply === 'function' ? reply(request) : reply
  }
}

/** These replies first, then the policy. */
export function first(replies: readonly Reply[], policy: Policy): Policy {
  const rest = [...replies]
  return (request) => rest.shift() ?? policy(request)
}
