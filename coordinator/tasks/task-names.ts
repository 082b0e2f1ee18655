import { randomBytes } from 'node:crypto'
import { branchPrefix } from '../../contract/wire/names.ts'

const BASE32 = 'abcdefghijklmnopqrstuvwxyz234567'

/** `tsk_` and 80 random bits. */
export function newTaskId(): string {
  return `tsk_${Array.from(randomBytes(16), (byte) => BASE32[byte & 31]).join('')}`
}

/** The task's branch, with the first words of the prompt for whoever reads the list of branches. */
export function branchOf(taskId: string, prompt: string): string {
  return branchPrefix(taskId) + slugOf(prompt)
}

function slugOf(prompt: string): string {
  const words = prompt
    .slice(0, 200)
    .normalize('NFKD')
    .toLowerCase()
    .replaceAll(/[^a-z0-9\s_-]/g, '')
    .split(/[\s_-]+/)
    .filter(Boolean)
  const slug = words.slice(0, 6).join('-').slice(0, 40)
  return slug.replace(/-+$/, '') || 'work'
}
