import type { Spool, SpoolEntry, SpoolHeader } from './spool.ts'

/** For an attempt whose spool the disk has no room for: it can still say why it ends. A killed process takes it along. */
export const spoolInMemory = (header: SpoolHeader): Spool => {
  const kept: SpoolEntry[] = []
  const nothing = async () => undefined
  return {
    header,
    lastN: () => kept.length,
    bytes: () => 0,
    append: async (entries) => void kept.push(...entries),
    read: async (from, limit) => kept.slice(from - 1, from - 1 + limit),
    close: nothing,
    remove: nothing,
  }
}
