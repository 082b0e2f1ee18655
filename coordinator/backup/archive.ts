import { createHash, type Hash } from 'node:crypto'
import { constants } from 'node:fs'
import { mkdir, open } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { Readable, Transform, type Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGunzip, createGzip } from 'node:zlib'
import tar from 'tar-stream'
import * as z from 'zod'
import { createOpening, createSealing, damaged, HEADER_BYTES, isSealed, UnreadableBackup } from './seal.ts'

/** The last file of a backup: without it, the backup is not whole. */
const MANIFEST = 'manifest.json'

const Manifest = z.object({
  form: z.literal(1),
  createdAt: z.iso.datetime(),
  /** Of Errand. */
  version: z.string(),
  /** Where the secret key is: in this backup, in the server's environment, or lost. */
  secretKey: z.enum(['here', 'environment', 'nowhere']),
  files: z.array(z.object({ path: z.string(), bytes: z.number().int().nonnegative(), sha256: z.string() })),
  /** Files that the database names and that were not there. */
  missing: z.array(z.string()),
})
export type Manifest = z.infer<typeof Manifest>

/** A file to store: its path in the data folder, and where it is now. */
export type Source = { path: string; from: string; required: boolean }

/** What may be in a backup. Nothing else is taken from one. */
const KNOWN = /^(errand\.db|secret-key|owner-token|runner-token|vapid-keys\.json|artifacts\/[\w.-]+)$/
const MOST_MANIFEST_BYTES = 256 * 1024 * 1024

/**
 * Writes files as a tar archive, packed with gzip, encrypted if there is a key; the manifest with a hash of each file comes last.
 * A file that is not required may be missing.
 */
export async function writeArchive(
  sources: readonly Source[],
  about: Omit<Manifest, 'files' | 'missing' | 'form'>,
  key: string | null,
  to: Writable,
): Promise<Manifest> {
  const pack = tar.pack()
  const written = pipeline([pack, createGzip(), ...(key === null ? [] : [createSealing(key)]), to])
  const manifest: Manifest = { form: 1, ...about, files: [], missing: [] }
  const add = async () => {
    for (const source of sources) {
      const file = await addFile(pack, source)
      if (file) manifest.files.push(file)
      else manifest.missing.push(source.path)
    }
    await addText(pack, MANIFEST, JSON.stringify(manifest))
    pack.finalize()
  }
  // Whichever fails first ends the other.
  await Promise.all([written, Promise.race([add(), written])]).catch((error: Error) => {
    pack.destroy(error)
    throw error
  })
  return manifest
}

async function addFile(pack: tar.Pack, { path, from, required }: Source): Promise<Manifest['files'][number] | null> {
  const file = await open(from, constants.O_RDONLY | constants.O_NOFOLLOW).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' && !required) return null
    throw error
  })
  if (!file) return null
  try {
    // A file that is replaced meanwhile stays whole behind this handle.
    const { size, mtime } = await file.stat()
    const hash = createHash('sha256')
    const content = file.createReadStream({ autoClose: false, ...(size > 0 && { end: size - 1 }) })
    await pipeline(content, hashing(hash), pack.entry({ name: path, size, mode: 0o600, mtime }))
    return { path, bytes: size, sha256: hash.digest('hex') }
  } finally {
    await file.close()
  }
}

function addText(pack: tar.Pack, name: string, text: string): Promise<void> {
  return new Promise((done, fail) => pack.entry({ name, mode: 0o600 }, text, (error) => (error ? fail(error) : done())))
}

/**
 * Reads a backup into a folder and verifies it whole. What it wrote before it found a fault stays there.
 * @param key null: none was given
 * @throws UnreadableBackup with what is wrong
 */
export async function readArchive(from: Readable, key: string | null, folder: string): Promise<Manifest> {
  const files: Manifest['files'] = []
  let manifest: Manifest | null = null
  const extract = tar.extract()
  extract.on('entry', (header, content, next) => {
    const take = async () => {
      if (header.name === MANIFEST) manifest = await readManifest(content)
      else files.push(await writeFile(folder, header, content))
    }
    take().then(
      () => next(),
      (error: Error) => extract.destroy(error),
    )
  })
  const { beginning, whole } = await peek(from)
  const opening = isSealed(beginning) ? [createOpening(key)] : []
  try {
    await pipeline([whole, ...opening, createGunzip(), extract])
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException
    if (/^Z_|^ERR_STREAM_PREMATURE_CLOSE/.test(code) || /tar header|Unexpected end of data/i.test(message))
      throw new UnreadableBackup(isSealed(beginning) || isGzip(beginning) ? damaged() : notABackup(), { cause: error })
    throw error
  }
  return checked(manifest, files)
}

function checked(manifest: Manifest | null, files: Manifest['files']): Manifest {
  if (!manifest) throw new UnreadableBackup(damaged())
  const lines = (list: Manifest['files']) => list.map(({ path, bytes, sha256 }) => `${path} ${bytes} ${sha256}`).join('\n')
  if (lines(manifest.files) !== lines(files)) throw new UnreadableBackup(damaged())
  return manifest
}

async function writeFile(folder: string, { name, type, size = 0 }: tar.Headers, content: Readable) {
  if (type !== 'file' || !KNOWN.test(name) || name.includes('..'))
    throw new UnreadableBackup(
      `The backup has a part that this version of Errand does not know (${name.slice(0, 80)}). Restore it with the version that made it.`,
    )
  await mkdir(dirname(join(folder, name)), { recursive: true, mode: 0o700 })
  const hash = createHash('sha256')
  const file = await open(join(folder, name), 'wx', 0o600)
  await pipeline(content, hashing(hash), file.createWriteStream({ flush: true }))
  return { path: name, bytes: size, sha256: hash.digest('hex') }
}

async function readManifest(content: Readable): Promise<Manifest> {
  const pieces: Buffer[] = []
  let bytes = 0
  for await (const piece of content) {
    bytes += (piece as Buffer).length
    if (bytes > MOST_MANIFEST_BYTES) throw new UnreadableBackup(damaged())
    pieces.push(piece as Buffer)
  }
  try {
    return Manifest.parse(JSON.parse(Buffer.concat(pieces).toString('utf8')))
  } catch (cause) {
    throw new UnreadableBackup('The backup was made by another version of Errand. Restore it with that version.', { cause })
  }
}

function hashing(hash: Hash): Transform {
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk)
      done(null, chunk)
    },
  })
}

/** Looks at the first bytes; the stream gives them once more. */
async function peek(from: Readable): Promise<{ beginning: Buffer; whole: Readable }> {
  const pieces = from[Symbol.asyncIterator]() as AsyncIterator<Buffer>
  let beginning = Buffer.alloc(0)
  while (beginning.length < HEADER_BYTES) {
    const { done, value } = await pieces.next()
    if (done) break
    beginning = Buffer.concat([beginning, value])
  }
  async function* whole() {
    yield beginning
    yield* { [Symbol.asyncIterator]: () => pieces }
  }
  return { beginning, whole: Readable.from(whole(), { objectMode: false }) }
}

/** RFC 1952, 2.3.1. */
function isGzip(beginning: Buffer): boolean {
  return beginning[0] === 0x1f && beginning[1] === 0x8b
}

function notABackup(): string {
  return 'This file is not a backup of Errand.'
}
