import type { Policy, SeenRequest } from '../support/outside/model-server.ts'
import type { Reply, ScriptedBlock } from '../support/outside/model-wire.ts'
import type { Edit, LiveTask } from './task.ts'

/**
 * A stand-in for the model that does each task as its solution says: it reads the files that it will change, changes them, runs the
 * task's command, and does its first try over when that fails. What it does next follows from what the tools really answered.
 */
export function solves(tasks: readonly LiveTask[]): Policy {
  return (request) => {
    const [first] = request.body.messages
    const task = tasks.find(({ prompt }) => textOf(first?.content).includes(prompt))
    if (!task) throw new Error('no task of the suite has this prompt')
    return 'answer' in task ? answers(task, request) : works(task, request)
  }
}

/** The words of the answer come out of the files, not out of the task. */
function answers(task: LiveTask, request: SeenRequest): Reply {
  const found = /\b(\w+_MB) \?\? (\d+)/.exec(textOf(request.body.messages))
  if (found) return says(`\`${found[1]}\` sets it, in MB. Without it an upload may have ${found[2]} MB.`)
  return calls({ type: 'tool_use', name: 'bash', input: { command: task.verify } })
}

function works({ solution, firstTry, verify }: LiveTask, { body, results }: SeenRequest): Reply {
  const last = results.at(-1)?.text ?? ''
  const wasTried = firstTry !== undefined && textOf(body.messages).includes(firstTry.new)
  const run = calls({ type: 'tool_use', name: 'bash', input: { command: verify } })
  const faulty = results.find(({ isError }) => isError)
  if (faulty) throw new Error(`a call of the scripted model failed: ${faulty.text}`)
  if (/^(Edited|Created|Wrote) /.test(last)) return run
  if (/^exit_code: 0\n/.test(last)) return says(`Do what was asked\n\nI changed ${filesOf(solution)} and ran \`${verify}\`.`)
  if (last.startsWith('exit_code: ')) {
    if (!wasTried) throw new Error(`the solution does not pass: ${last}`)
    return calls(...solution.map((edit) => change({ ...edit, old: firstTry.new })))
  }
  if (results.length > 0) return calls(...(firstTry ? [firstTry] : solution).map(change))
  const isBegun = body.messages.some(({ role }) => role === 'assistant')
  if (isBegun) return says(`Do what was asked\n\nI changed ${filesOf(solution)}.`)
  return calls(
    ...existing(solution).map((file_path): ScriptedBlock => ({ type: 'tool_use', name: 'read', input: { file_path } })),
  )
}

function change({ file, old, new: text }: Edit): ScriptedBlock {
  return old === undefined
    ? { type: 'tool_use', name: 'write', input: { file_path: file, content: text } }
    : { type: 'tool_use', name: 'edit', input: { file_path: file, old_string: old, new_string: text } }
}

function existing(edits: readonly Edit[]): string[] {
  return [...new Set(edits.flatMap(({ file, old }) => (old === undefined ? [] : [file])))]
}

function filesOf(edits: readonly Edit[]): string {
  return [...new Set(edits.map(({ file }) => `\`${file}\``))].join(', ')
}

function calls(...content: ScriptedBlock[]): Reply {
  return { content }
}

function says(text: string): Reply {
  return { content: [{ type: 'text', text }] }
}

/** All texts of a part of a request, results and inputs of calls too. */
function textOf(value: unknown): string {
  if (typeof value === 'string') return value
  return typeof value === 'object' && value !== null ? Object.values(value).map(textOf).join('\n') : ''
}
