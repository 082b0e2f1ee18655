import { isTaskId } from '../../contract/wire/names.ts'
import type { Context } from '../server/context.ts'
import { EXIT, Fault } from '../server/faults.ts'

/**
 * Finds the task for a full id or for a unique start of one, with or without `tsk_`.
 * @throws Fault that lists the matching tasks, or says that there is none
 */
export async function taskIdFor(given: string, context: Context): Promise<string> {
  if (isTaskId(given)) return given
  const id = given.startsWith('tsk_') ? given : `tsk_${given}`
  const { items } = await context.api().listTasks({ id, limit: 5 })
  return onlyOne('Task', id, items)
}

/**
 * @param things the candidates
 * @throws Fault as {@link taskIdFor}
 */
export function onlyOne(what: 'Task' | 'Message' | 'Token', beginning: string, things: readonly { id: string }[]): string {
  const ids = things.map(({ id }) => id).filter((id) => id.startsWith(beginning))
  const [only, second] = ids
  if (only === undefined) throw new Fault(EXIT.refused, `${what} not found: ${beginning}`)
  if (second === undefined || only === beginning) return only
  throw new Fault(
    EXIT.refused,
    `More than one ${what.toLowerCase()} starts with ${beginning}. Type more of the id:\n  ${ids.join('\n  ')}`,
  )
}
