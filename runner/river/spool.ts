import { type FileHandle, mkdir, open, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { parseJson } from '../../contract/shared/json.ts'

/** What must be known to go on with a spool after a restart; the first line of its file. */
export const SpoolHeader = z.object({
  taskId: z.string(),
  attempt: z.number().int().positive(),
  turn: z.number().int().positive(),
  signingKey: z.string(),
})
export type SpoolHeader = z.infer<typeof SpoolHeader>

/** One event as it will go through Redis; `n` is 1, 2, 3… */
export const SpoolEntry = z.object({ n: z.number().int().positive(), at: z.iso.datetime(), body: z.string() })
export type SpoolEntry = z.infer<typeof SpoolEntry>

/** The events of one attempt on the runner's disk, until the coordinator has them. One writer; a file only its owner can read. */
export type Spool = {
  header: SpoolHeader
  /** Number of the last entry that is on disk. */
  lastN: () => number
  /** On the disk and in memory. */
  bytes: () => number
  /**
   * Durable when it returns. One call at a time.
   * @throws the file system's error (no space, say); what was given is then kept in memory alone, and so is all that follows
   */
  append: (entries: readonly SpoolEntry[]) => Promise<void>
  /** @returns entries from number `from` on, in order: at most `limit`, and not many more bytes than `maxBytes` */
  read: (from: number, limit: number, maxBytes?: number) => Promise<SpoolEntry[]>
  close: () => Promise<void>
  /** Closes it and deletes the file. */
  remove: () => Promise<void>
}

const READ_BYTES = 1024 * 1024
const ENDING = '.ndjson'

export async function createSpool(directory: string, header: SpoolHeader): Promise<Spool> {
  const path = join(directory, `${encodeURIComponent(header.taskId)}.${header.attempt}${ENDING}`)
  const file = await open(path, 'wx+', 0o600)
  try {
    const line = Buffer.from(`${JSON.stringify(header)}\n`)
    await file.write(line, 0, line.length, 0)
    await file.datasync()
    return spoolOn(path, file, header, [], line.length)
  } catch (error) {
    await file.close()
    await rm(path, { force: true })
    throw error
  }
}

/** Every spool that an earlier process left; a torn last line is cut off, and a file without a readable header deleted. */
export async function recoverSpools(directory: string): Promise<Spool[]> {
  await mkdir(directory, { recursive: true, mode: 0o700 })
  const names = (await readdir(directory)).filter((name) => name.endsWith(ENDING))
  const spools: Spool[] = []
  for (const name of names.sort()) {
    const spool = await recover(join(directory, name))
    if (spool) spools.push(spool)
  }
  return spools
}

async function recover(path: string): Promise<Spool | null> {
  const file = await open(path, 'r+')
  const { header, starts, end } = wholeLines(await file.readFile())
  if (!header) {
    await file.close()
    await rm(path)
    return null
  }
  await file.truncate(end)
  return spoolOn(path, file, header, starts, end)
}

/** @returns the header, where each whole entry begins, and where the last of them ends */
function wholeLines(content: Buffer): { header: SpoolHeader | null; starts: number[]; end: number } {
  const starts: number[] = []
  let header: SpoolHeader | null = null
  let start = 0
  for (let newline = content.indexOf(10); newline >= 0; newline = content.indexOf(10, start)) {
    const line = parseJson(content.toString('utf8', start, newline))
    if (!header) header = SpoolHeader.safeParse(line).data ?? null
    else if (SpoolEntry.safeParse(line).data?.n === starts.length + 1) starts.push(start)
    else break
    if (!header) break
    start = newline + 1
  }
  return { header, starts, end: start }
}

function spoolOn(path: string, file: FileHandle, header: SpoolHeader, starts: number[], end: number): Spool {
  let size = end
  const onDisk = () => starts.length
  /** Entries that the disk did not take. */
  const inMemory: SpoolEntry[] = []
  let inMemoryBytes = 0
  let failed = false

  const keepInMemory = (entries: readonly SpoolEntry[]) => {
    inMemory.push(...entries)
    for (const { body } of entries) inMemoryBytes += Buffer.byteLength(body)
  }

  const write = async (entries: readonly SpoolEntry[]) => {
    const lines = entries.map((entry) => Buffer.from(`${JSON.stringify(entry)}\n`))
    const bytes = Buffer.concat(lines)
    for (let done = 0; done < bytes.length; )
      done += (await file.write(bytes, done, bytes.length - done, size + done)).bytesWritten
    await file.datasync()
    for (const line of lines) {
      starts.push(size)
      size += line.length
    }
  }

  const readDisk = async (from: number, limit: number, maxBytes: number): Promise<SpoolEntry[]> => {
    const first = starts[from - 1]
    if (first === undefined) return []
    let until = from
    while (until < Math.min(onDisk(), from + limit - 1) && (starts[until] ?? size) - first < maxBytes) until += 1
    const bytes = Buffer.alloc((starts[until] ?? size) - first)
    await file.read(bytes, 0, bytes.length, first)
    const lines = bytes.toString('utf8').trimEnd().split('\n')
    return lines.map((line) => SpoolEntry.parse(JSON.parse(line)))
  }

  return {
    header,
    lastN: () => onDisk() + inMemory.length,
    bytes: () => size + inMemoryBytes,
    append: async (entries) => {
      if (failed) {
        keepInMemory(entries)
        return
      }
      try {
        await write(entries)
      } catch (error) {
        failed = true
        keepInMemory(entries)
        throw error
      }
    },
    read: async (from, limit, maxBytes = READ_BYTES) => {
      if (from > onDisk()) return inMemory.slice(from - onDisk() - 1, from - onDisk() - 1 + limit)
      return readDisk(from, limit, maxBytes)
    },
    close: () => file.close(),
    remove: async () => {
      await file.close()
      await rm(path, { force: true })
    },
  }
}
