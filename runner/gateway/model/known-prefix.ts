import { hash as digest } from 'node:crypto'
import { type ApiUsage, CACHE_LIFE_MS } from '../../../contract/shared/models.ts'

/** What the model API has in its cache of a request, as far as this gateway saw it go in. */
export type Prefix = {
  /** 0: nothing is known of it. */
  cachedTokens: number
  /** Bytes and images up to the end of that part. */
  bytes: number
  images: number
  imageBytes: number
  /** To be called with the usage that the API itself reported for this request. */
  settle: (usage: ApiUsage) => void
}

export type KnownPrefixes = { find: (body: Record<string, unknown>, now?: number) => Prefix }

/** A mark finds an entry at most this many blocks before it, itself included (docs.claude.com, "Prompt caching"). */
const LOOK_BACK = 20
/** One conversation at a time needs two: its last request, and the one before. */
const MOST_ENTRIES = 16
/** How often the API may have had less in its cache than it promises, before nothing is counted on any more in this attempt. */
const MOST_MISSES = 2

type Entry = { tokens: number; until: number }

/**
 * Remembers what the model API has stored in its prompt cache for this attempt, so that a call is not held at twenty times its price. It
 * believes only usage that the API reported, only for a prefix that is equal to the byte, at a mark, for less time than the API promises;
 * tool choice and thinking belong to the prefix, since the API drops its entries when they change. A sandbox can therefore not have a
 * prompt held as cached that the API charges in full; should the API break its promise, the calls that are in flight at that moment are all
 * that can pass the limit.
 */
export function createKnownPrefixes(): KnownPrefixes {
  const entries = new Map<string, Entry>()
  let misses = 0
  const remember = (hash: string, entry: Entry) => {
    entries.delete(hash)
    entries.set(hash, entry)
    for (const [oldest] of entries) if (entries.size > MOST_ENTRIES) entries.delete(oldest)
  }
  return {
    find: (body, now = performance.now()) => {
      const steps = stepsOf(body)
      const marks = marksOf(body, steps)
      const isKnown = (at: number) => (entries.get(steps[at]?.hash ?? '')?.until ?? 0) > now
      const found = marks.flatMap((mark) => {
        for (let at = mark; at > mark - LOOK_BACK && at >= 0; at--) if (isKnown(at)) return [at]
        return []
      })
      const step = misses < MOST_MISSES ? steps[Math.max(-1, ...found)] : undefined
      const last = steps[Math.max(-1, ...marks)]
      const cachedTokens = step ? (entries.get(step.hash)?.tokens ?? 0) : 0
      const { bytes, images, imageBytes } = step ?? NOTHING
      return {
        cachedTokens,
        bytes,
        images,
        imageBytes,
        settle: (usage) => {
          const read = usage.cache_read_input_tokens ?? 0
          if (read < cachedTokens) misses += 1
          const tokens = read + (usage.cache_creation_input_tokens ?? 0)
          if (last && tokens > 0) remember(last.hash, { tokens, until: now + CACHE_LIFE_MS })
        },
      }
    },
  }
}

/** The prompt up to the end of one block. */
type Step = { hash: string; bytes: number; images: number; imageBytes: number; marked: boolean }
const NOTHING = { bytes: 0, images: 0, imageBytes: 0 }

/** The blocks in the order in which the API reads them: tools, system text, messages. Numbers and hashes run up from the first. */
function stepsOf({ model, tools, system, messages, tool_choice, thinking, output_config }: Record<string, unknown>): Step[] {
  let hash = sha256(JSON.stringify({ model, tool_choice, thinking, output_config }))
  let sum = NOTHING
  const step = (role: string, block: unknown): Step => {
    const { cache_control, ...rest } = isObject(block) ? block : { type: 'text', text: block }
    const text = JSON.stringify(rest)
    const { images, imageBytes } = imagesIn(rest)
    hash = sha256(`${hash} ${role} ${text}`)
    sum = {
      bytes: sum.bytes + Buffer.byteLength(text),
      images: sum.images + images,
      imageBytes: sum.imageBytes + imageBytes,
    }
    return { ...sum, hash, marked: isObject(cache_control) }
  }
  return [
    ...listOf(tools).map((tool) => step('tool', tool)),
    ...listOf(system).map((block) => step('system', block)),
    ...listOf(messages).flatMap((message, index) => {
      const { role, content } = isObject(message) ? message : {}
      return listOf(content).map((block) => step(`${index} ${role}`, block))
    }),
  ]
}

/** A mark of the whole request stands on its last block. */
function marksOf(body: Record<string, unknown>, steps: readonly Step[]): number[] {
  const marks = steps.flatMap(({ marked }, at) => (marked ? [at] : []))
  return isObject(body.cache_control) && steps.length > 0 ? [...marks, steps.length - 1] : marks
}

/** Images are in a message or in the result of a tool. */
function imagesIn(block: Record<string, unknown>): { images: number; imageBytes: number } {
  const parts = [block, ...(Array.isArray(block.content) ? block.content : [])]
  const images = parts.flatMap((part) => {
    if (!isObject(part) || !isObject(part.source) || part.source.type !== 'base64') return []
    return [typeof part.source.data === 'string' ? Buffer.byteLength(part.source.data) : 0]
  })
  return { images: images.length, imageBytes: images.reduce((sum, bytes) => sum + bytes, 0) }
}

function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? value : value === undefined || value === null ? [] : [value]
}

function sha256(text: string): string {
  return digest('sha256', text, 'base64')
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
