import type { Spool, SpoolEntry, SpoolHeader } from './spool.ts'

/** For an attempt whose spool the disk has no room for: it can still say why it ends. A killed process takes it along. */
export function spoolInMemory(header: SpoolHeader): Spool {
  const kept: SpoolEntry[] = []
  let bytes = 0
  const nothing = async () => undefined
  return {
    header,
    lastN: () => kept.length,
    bytes: () => bytes,
    append: async (entries) => {
      kept.push(...entries)
      for (const { body } of entries) bytes += Buffer.byteLength(body)
    },
    read: async (from, limit) => kept.slice(from - 1, from - 1 + limit),
    close: nothing,
    remove: nothing,
  }
}
