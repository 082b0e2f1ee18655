import { blocksOf, canonical, hash, hashAfter, type ModelBody, tokensOf } from './model-strictness.ts'

/** What a request reads from the cache and writes to it; tokens. `input` is what stands behind the last mark. */
export type CacheUse = { read: number; written: number; input: number }

/** From a mark, the API looks for an earlier entry at this many blocks, the marked one included (docs.claude.com, "Prompt caching"). */
const LOOK_BACK = 20
/** A shorter prompt is not cached: the highest minimum of any model. */
const LEAST_TOKENS = 4096
const LIFE_MS = 5 * 60_000

export type PromptCache = {
  /** @returns what the request costs, and stores what its marks make the API store */
  use: (body: ModelBody, now?: number) => CacheUse
}

/**
 * The API's prompt cache. Entries are written only where a mark is. A mark finds only entries that stand at most {@link LOOK_BACK} blocks
 * before it, and only if not one byte before them has changed, tool choice and thinking included.
 */
export function createPromptCache(): PromptCache {
  const entries = new Map<string, number>()
  return {
    use: (body, now = Date.now()) => {
      const { hashes, tokens, marks } = readPrompt(body)
      const isFresh = (at: number) => (entries.get(hashes[at] ?? '') ?? 0) > now - LIFE_MS
      const found = marks.flatMap((mark) => {
        for (let at = mark; at > mark - LOOK_BACK && at >= 0; at--) if (isFresh(at)) return [at]
        return []
      })
      const hit = Math.max(-1, ...found)
      const end = Math.max(hit, ...marks.filter((mark) => (tokens[mark] ?? 0) >= LEAST_TOKENS))
      for (const at of [hit, ...marks]) if ((tokens[at] ?? 0) >= LEAST_TOKENS) entries.set(hashes[at] ?? '', now)
      const read = tokens[hit] ?? 0
      const cached = tokens[end] ?? 0
      return { read, written: cached - read, input: (tokens.at(-1) ?? 0) - cached }
    },
  }
}

/** `hashes` and `tokens`: of the prompt up to each block; `marks`: the places of the blocks that have one. */
function readPrompt(body: ModelBody): { hashes: string[]; tokens: number[]; marks: number[] } {
  const blocks = blocksOf(body)
  const { model, tool_choice, thinking } = body
  let last = hash(JSON.stringify(canonical({ model, tool_choice, thinking })))
  let tokens = 0
  const prefixes = blocks.map((block) => {
    tokens += tokensOf(block)
    last = hashAfter(last, block)
    return { hash: last, tokens }
  })
  const marks = blocks.flatMap(({ cache_control }, at) => (cache_control ? [at] : []))
  // The mark of the whole request stands on its last block.
  const all = body.cache_control ? [...marks, blocks.length - 1] : marks
  return { hashes: prefixes.map((one) => one.hash), tokens: prefixes.map((one) => one.tokens), marks: [...new Set(all)] }
}
