import type { Hands } from '../../hands/hands.ts'
import type { InputOf } from '../../hands/protocol.ts'
import type { TodoItem } from '../../tools/todo.ts'
import { named } from '../../workspace/look/finding.ts'
import { type Problem, problemsOf } from '../../workspace/look/judge.ts'
import type { Look, LookOptions } from '../../workspace/look/look.ts'
import type { Touched } from './touched.ts'

/**
 * Checks the work when the model says that it is done.
 * @param answer the model's last words
 * @returns what is left to do; empty when nothing
 */
export type Gates = (answer: string) => Promise<string[]>

export type GatesOptions = {
  hands: Hands
  workspace: LookOptions['workspace']
  /** What the person asked for. */
  prompt: string
  touched: Touched
  todos: () => readonly TodoItem[]
}

/** A longer last message is an answer, not the claim of a change. */
const CLAIM_CHARS = 200

/**
 * Each finding is told once. Only what must not stay as it is, such as a conflict, is told as often as the loop allows; then everything that
 * is still so comes along.
 */
export function createGates({ hands, workspace, prompt, touched, todos }: GatesOptions): Gates {
  const told = new Set<string>()
  return async (answer) => {
    const { findings, isChanged } = await lookOnce(hands, {
      workspace,
      written: touched.written(),
      // An edit of a task that needs no command has nothing to be run again.
      untested: touched.hasRun() ? touched.untested() : [],
    })
    const open = todos().filter(({ status }) => status !== 'done')
    const problems: Problem[] = [
      ...(isChanged || touched.written().length > 0 || isAnswer(prompt, answer) ? [] : [NOTHING_CHANGED]),
      ...(open.length > 0 ? [openSteps(open)] : []),
      ...problemsOf(findings),
    ]
    const isNews = problems.some(({ key, insists }) => insists || !told.has(key))
    for (const { key } of problems) told.add(key)
    return isNews ? problems.map(({ text }) => text) : []
  }
}

/** A command may have killed the hands. The work is looked over once more when it is committed, so the turn need not fail here. */
async function lookOnce(hands: Hands, what: InputOf<'look'>): Promise<Look> {
  try {
    return await hands.call('look', what)
  } catch {
    return { findings: [], isChanged: true }
  }
}

const NOTHING_CHANGED: Problem = {
  key: 'nothing changed',
  text: 'No file has changed. If the task asks for a change, it is not done. If it asks for none, end your turn again with the same answer: your last message is all that the person reads.',
  insists: false,
}

/** Pure. A question needs no change, and asking twice does not improve its answer. */
function isAnswer(prompt: string, answer: string): boolean {
  return /[?？؟]/.test(prompt) || answer.length > CLAIM_CHARS
}

function openSteps(open: readonly TodoItem[]): Problem {
  return {
    key: 'open steps',
    text: `These items of your list are not done: ${named(open.map(({ text }) => text))}.`,
    insists: true,
  }
}
