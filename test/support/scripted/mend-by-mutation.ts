import type { Policy } from '../outside/model-server.ts'
import type { Reply } from '../outside/model-wire.ts'

/**
 * A policy that mends a wrong operator in code that it has never seen. It runs the package's tests, opens the file that package.json names,
 * and replaces one operator after the other. After each change it runs the tests, and undoes what did not help. As with a model, its next
 * step follows from the results alone.
 */
export function mendsByMutation(mainFile: string): Policy {
  let source: string | null = null
  let tried = 0
  let current: Mutation | null = null

  return ({ results }): Reply => {
    const last = results.at(-1)?.text ?? ''
    if (results.length === 0) return call('I run the tests.', 'bash', { command: 'npm test' })
    if (last.startsWith('exit_code: 0')) return done(mainFile, current)
    if (last.startsWith('Edited')) return call('', 'bash', { command: 'npm test' })
    if (source === null) {
      if (/\t/.test(last) && !last.startsWith('exit_code')) source = linesOf(last)
      else return call(`A test fails: ${failure(last)}. I open the code.`, 'read', { file_path: mainFile })
    }
    const back = current
    current = mutations(source)[tried] ?? null
    tried += 1
    if (!current) return { content: [{ type: 'text', text: 'I found no operator that mends it.' }] }
    const next = { file_path: mainFile, old_string: current.from, new_string: current.to }
    const undo = back ? [edit({ file_path: mainFile, old_string: back.to, new_string: back.from })] : []
    return { content: [...undo, edit(next)] }
  }
}

type Mutation = { from: string; to: string }

const OTHERS: Record<string, string> = {
  '<=': '<',
  '>=': '>',
  '===': '!==',
  '!==': '===',
  '+=': '-=',
  '-=': '+=',
  '||': '&&',
  '&&': '||',
}

/** Each whole line with one operator changed, so that an edit of it is exact. Lines that occur twice are left out. */
function mutations(source: string): Mutation[] {
  const lines = source.split('\n')
  return lines
    .filter((line, index) => line.trim() && lines.indexOf(line) === index && lines.lastIndexOf(line) === index)
    .flatMap((line) =>
      [...line.matchAll(/<=|>=|===|!==|\+=|-=|\|\||&&/g)].map(({ 0: operator, index }) => ({
        from: line,
        to: line.slice(0, index) + (OTHERS[operator] ?? operator) + line.slice(index + operator.length),
      })),
    )
}

function linesOf(shown: string): string {
  return shown
    .split('\n')
    .flatMap((line) => /^\s*\d+\t(.*)$/.exec(line)?.slice(1) ?? [])
    .join('\n')
}

function failure(output: string): string {
  return /AssertionError.*/.exec(output)?.[0] ?? 'see the output'
}
function edit(input: unknown) {
  return { type: 'tool_use', name: 'edit', input } as const
}
function call(text: string, name: string, input: unknown): Reply {
  return {
    content: [...(text ? [{ type: 'text', text } as const] : []), { type: 'tool_use', name, input }],
  }
}
function done(file: string, mutation: Mutation | null): Reply {
  return {
    content: [
      {
        type: 'text',
        text: mutation ? `Mend a comparison in ${file}\n\n\`npm test\` failed before and passes now.` : 'All tests pass already.',
      },
    ],
  }
}
