import type { TodoItem } from '../../tools/todo.ts'
import { hugeFiles, MAX_FILE_BYTES } from '../../workspace/changes.ts'
import { type Git, must } from '../../workspace/git.ts'

/** Checks the work when the model says that it is done. @returns what is left to do; empty when nothing */
export type Gates = (round: number) => Promise<string[]>

const SCRATCH =
  /(^|\/)(core|nohup\.out|[^/]*\.(orig|rej|tmp|bak|swp|pyc)|(scratch|debug|repro|tmp)[^/]*\.(js|mjs|ts|py|sh|txt|log)|__pycache__\/.*)$/i
const INSTALLED = /(^|\/)(node_modules|\.venv|venv)\//
const MANY_FILES = 300

/** @param base the commit or tree that the work is compared with */
export function createGates({ git, base, todos }: { git: Git; base: string; todos: () => readonly TodoItem[] }): Gates {
  return async (round) => {
    const paths = await changedPaths(git, base)
    const fresh = await newPaths(git)
    const huge = await hugeFiles(git)
    const open = todos().filter(({ status }) => status !== 'done')
    const scratch = fresh.filter((path) => SCRATCH.test(path))
    const installed = fresh.filter((path) => INSTALLED.test(path))
    return [
      // Only once: the answer to a question needs no change, and asking twice does not improve it.
      ...(paths.length + fresh.length === 0 && round === 0
        ? [
            'No file has changed. If the task asks for a change, it is not done. If it asks for none, end your turn again and say so.',
          ]
        : []),
      ...(open.length > 0 ? [`These items of your list are not done: ${named(open.map(({ text }) => text))}.`] : []),
      ...(scratch.length > 0 ? [`These new files look like leftovers: ${named(scratch)}.`] : []),
      ...(huge.length > 0
        ? [`These new files are larger than ${MAX_FILE_BYTES / 1024 / 1024} MB and will be left out: ${named(huge)}.`]
        : []),
      ...(installed.length > 0
        ? [`Installed packages would be committed (${named(installed)}): add them to .gitignore or delete them.`]
        : fresh.length > MANY_FILES
          ? [`${fresh.length} new files would be committed. Is that intended?`]
          : []),
    ]
  }
}

function named(names: readonly string[]): string {
  return names.slice(0, 5).join(', ') + (names.length > 5 ? ` and ${names.length - 5} more` : '')
}

async function changedPaths(git: Git, base: string): Promise<string[]> {
  return paths(await must(git, ['diff', '--name-only', '-z', '--no-ext-diff', base, '--']))
}

async function newPaths(git: Git): Promise<string[]> {
  return paths(await must(git, ['ls-files', '--others', '--exclude-standard', '-z']))
}

function paths(output: string): string[] {
  return output.split('\0').filter(Boolean)
}
