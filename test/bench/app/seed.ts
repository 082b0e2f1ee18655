import type { createHandWork } from '../../support/scripted/hand-work.ts'
import { step } from './texts.ts'

export const LIST_LENGTH = 50
export const EVENTS = 3_000
const STEP_EVENTS = step(0).length

/** Fills the store by the real river: a list of tasks that ended, the newest of them long. @returns the long one */
export async function seed({ begin }: Awaited<ReturnType<typeof createHandWork>>): Promise<string> {
  for (let n = 1; n < LIST_LENGTH; n++) {
    const task = await begin(`Mend case ${n} of the parts that are read twice, and say in the README why it failed.`)
    await task.say(...step(n))
    await task.end(n % 5 === 0 ? 'failed' : 'completed')
  }
  const long = await begin('Go through every case of every part, one after the other.')
  await long.say(...Array.from({ length: EVENTS / STEP_EVENTS }, (_, n) => step(n)).flat())
  // A turn that failed is shown unfolded: every event of the newest page is on the screen.
  await long.end('failed')
  return long.id
}
