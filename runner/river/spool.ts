import { type FileHandle, mkdir, open, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import * as z from 'zod'
import { parseJson } from '../../contract/shared/json.ts'

/** The first line of a spool: what a restarted runner needs to continue it. */
export const SpoolHeader = z.object({
  taskId: z.string(),
  attempt: z.number().int().positive(),
  turn: z.number().int().positive(),
  signingKey: z.string(),
  /** The `CONTRACT_VERSION` of the process that wrote it. Absent: from before entries said where in the output they come from. */
  contract: z.number().int().optional(),
})
export type SpoolHeader = z.infer<typeof SpoolHeader>

/**
 * Where an event comes from in the sandbox's output: `end` bytes are read with its line, and `more` events of the same line follow. A
 * restarted runner reads on from there.
 */
export const OutputPlace = z.object({ end: z.number().int().nonnegative(), more: z.number().int().nonnegative() })
export type OutputPlace = z.infer<typeof OutputPlace>

/** One event as it goes through Redis; `n` is 1, 2, 3… `output`: absent for an event that the sandbox did not print. */
export const SpoolEntry = z.object({
  n: z.number().int().positive(),
  at: z.iso.datetime(),
  body: z.string(),
  output: OutputPlace.optional(),
})
export type SpoolEntry = z.infer<typeof SpoolEntry>

/** The events of one attempt on the runner's disk, until the coordinator has them. It has one writer, and only its owner can read its file. */
export type Spool = {
  header: SpoolHeader
  /** Number of the last entry. */
  lastN: () => number
  /** On the disk and in memory. */
  bytes: () => number
  /**
   * Durable when it returns. One call at a time.
   * @throws the file system's error (for example no space). These entries, and all that follow, are then kept in memory alone
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
    return spoolOn(path, header, { file, starts: [], end: line.length })
  } catch (error) {
    await file.close()
    await rm(path, { force: true })
    throw error
  }
}

/**
 * Opens every spool that an earlier process left. It cuts off what that process was writing when it was killed, a torn line or some of the
 * events of one line of output, which nobody has seen; and it deletes a file without a readable header.
 */
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
  return spoolOn(path, header, { file, starts, end })
}

/** @returns the header, where each whole entry begins, and where the last of them ends */
function wholeLines(content: Buffer): { header: SpoolHeader | null; starts: number[]; end: number } {
  const starts: number[] = []
  let header: SpoolHeader | null = null
  let whole = { entries: 0, end: 0 }
  let start = 0
  for (let newline = content.indexOf(10); newline >= 0; newline = content.indexOf(10, start)) {
    const line = parseJson(content.toString('utf8', start, newline))
    const entry = header && SpoolEntry.safeParse(line).data
    if (header && entry?.n !== starts.length + 1) break
    if (header) starts.push(start)
    else header = SpoolHeader.safeParse(line).data ?? null
    if (!header) break
    start = newline + 1
    if (!entry?.output?.more) whole = { entries: starts.length, end: start }
  }
  return { header, starts: starts.slice(0, whole.entries), end: whole.end }
}

/** The spool of an attempt for which the disk is too full: it can still report why it ends. A killed process loses it. */
export function spoolInMemory(header: SpoolHeader): Spool {
  const entries: SpoolEntry[] = []
  let bytes = 0
  const nothing = async () => undefined
  return {
    header,
    lastN: () => entries.length,
    bytes: () => bytes,
    append: async (more) => {
      entries.push(...more)
      for (const { body } of more) bytes += Buffer.byteLength(body)
    },
    read: async (from, limit) => entries.slice(from - 1, from - 1 + limit),
    close: nothing,
    remove: nothing,
  }
}

type SpoolFile = {
  readonly file: FileHandle
  /** Where each entry begins. */
  readonly starts: number[]
  /** Where the last entry ends. */
  end: number
}

function spoolOn(path: string, header: SpoolHeader, on: SpoolFile): Spool {
  const onDisk = () => on.starts.length
  /** What the disk did not take, and everything after it. */
  const rest = spoolInMemory(header)
  let failed = false
  return {
    header,
    lastN: () => onDisk() + rest.lastN(),
    bytes: () => on.end + rest.bytes(),
    append: async (entries) => {
      if (failed) return rest.append(entries)
      try {
        await write(on, entries)
      } catch (error) {
        failed = true
        await rest.append(entries)
        throw error
      }
    },
    read: async (from, limit, maxBytes = READ_BYTES) =>
      from > onDisk() ? rest.read(from - onDisk(), limit) : read(on, from, limit, maxBytes),
    close: () => on.file.close(),
    remove: async () => {
      await on.file.close()
      await rm(path, { force: true })
    },
  }
}

async function write(on: SpoolFile, entries: readonly SpoolEntry[]): Promise<void> {
  const lines = entries.map((entry) => Buffer.from(`${JSON.stringify(entry)}\n`))
  await writeAt(on, on.end, Buffer.concat(lines))
  for (const line of lines) {
    on.starts.push(on.end)
    on.end += line.length
  }
}

async function writeAt({ file }: SpoolFile, place: number, bytes: Buffer): Promise<void> {
  for (let done = 0; done < bytes.length; )
    done += (await file.write(bytes, done, bytes.length - done, place + done)).bytesWritten
  await file.datasync()
}

async function read({ file, starts, end }: SpoolFile, from: number, limit: number, maxBytes: number): Promise<SpoolEntry[]> {
  const first = starts[from - 1]
  if (first === undefined) return []
  let until = from
  while (until < Math.min(starts.length, from + limit - 1) && (starts[until] ?? end) - first < maxBytes) until += 1
  const bytes = Buffer.alloc((starts[until] ?? end) - first)
  await file.read(bytes, 0, bytes.length, first)
  const lines = bytes.toString('utf8').trimEnd().split('\n')
  return lines.map((line) => SpoolEntry.parse(JSON.parse(line)))
}
