export type Change = { removed: string[]; added: string[] }

/** The lines that a call of `edit` or `write` takes away and puts there, as far as its input tells; null for any other call. */
export function changeOf(name: string, input: unknown): Change | null {
  if (typeof input !== 'object' || input === null) return null
  const { old_string, new_string, content } = input as Record<string, unknown>
  if (name === 'write' && typeof content === 'string') return { removed: [], added: content.replace(/\n$/, '').split('\n') }
  if (name !== 'edit' || typeof old_string !== 'string' || typeof new_string !== 'string') return null
  return withoutCommonEnds(old_string.split('\n'), new_string.split('\n'))
}

function withoutCommonEnds(before: string[], after: string[]): Change {
  const shorter = Math.min(before.length, after.length)
  let start = 0
  while (start < shorter && before[start] === after[start]) start++
  let end = 0
  while (end < shorter - start && before.at(-1 - end) === after.at(-1 - end)) end++
  return { removed: before.slice(start, before.length - end), added: after.slice(start, after.length - end) }
}
