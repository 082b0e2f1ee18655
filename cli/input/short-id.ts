import { isTaskId } from '../../contract/wire/names.ts'
import type { Context } from '../context.ts'
import { EXIT, Fault } from '../server/faults.ts'

/**
 * The task that a person means: its id whole, or the beginning of it, with or without `tsk_`, while only one task begins so.
 * @throws Fault that names the tasks it could be, or says that there is none
 */
export async function taskIdFor(given: string, context: Context): Promise<string> {
  if (isTaskId(given)) return given
  const id = given.startsWith('tsk_') ? given : `tsk_${given}`
  const { items } = await context.api().listTasks({ id, limit: '5' })
  return onlyOne('task', id, items)
}

/**
 * @param things all that it could be
 * @throws Fault as {@link taskIdFor}
 */
export function onlyOne(what: string, beginning: string, things: readonly { id: string }[]): string {
  const ids = things.map(({ id }) => id).filter((id) => id.startsWith(beginning))
  const [only, second] = ids
  if (only === undefined) throw new Fault(EXIT.refused, `There is no such ${what}: ${beginning}`)
  if (second === undefined || only === beginning) return only
  throw new Fault(EXIT.refused, `More than one ${what} begins with ${beginning}. Type more of its id:\n  ${ids.join('\n  ')}`)
}
