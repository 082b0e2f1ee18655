import { bounded } from '../../tools/output.ts'
import type { ImageBlock, ToolResult } from '../../tools/tool.ts'

/** The most characters of all results of one answer, and of one line of them. */
const ALL_CHARS = 100_000
const LINE_CHARS = 2_000
/** The most that the mark in a cut line takes. */
const MARK_CHARS = 60
/** A result never shrinks below this, however many there are. */
const LEAST_CHARS = 300
/** Each image costs the model as much as 20,000 characters. */
const MAX_IMAGES = 5
/** Base64, characters. A request may have 32 MB, and the conversation keeps every image. */
const IMAGES_CHARS = 8_000_000

/** A result as the model gets it. */
export type Shown = { text: string; image: ImageBlock | null }

/**
 * Pure. Bounds the results of one answer: each line, and all of them together. Short results stay whole, and the long ones share what is
 * left. What is cut says so, and where the rest is.
 */
export function boundResults(results: ReadonlyArray<Pick<ToolResult, 'text' | 'image' | 'wholeFile'>>): Shown[] {
  const texts = results.map(({ text }) => withShortLines(text))
  const total = texts.reduce((sum, text) => sum + text.length, 0)
  const most = shareOf(
    texts.map((text) => text.length),
    ALL_CHARS,
  )
  const showsImage = imageGate()
  return results.map(({ image, wholeFile = null }, index) => {
    const text = fit(texts[index] ?? '', Math.max(most, LEAST_CHARS), wholeFile, total)
    if (!image) return { text, image: null }
    return showsImage(image) ? { text, image } : { text: `${text}\n${TOO_MANY_IMAGES}`, image: null }
  })
}

const TOO_MANY_IMAGES = `(The image is not shown: there are too many in one answer, or too large ones. Read it alone, at most ${MAX_IMAGES} at a time.)`

function fit(text: string, most: number, wholeFile: string | null, total: number): string {
  if (text.length <= most) return text
  const rest = wholeFile === null ? 'Make this call alone to see all of it.' : `All of it is in ${wholeFile}.`
  const note = `\n(Cut: the results of your calls have ${total} characters together. ${rest})`
  return `${bounded(text, Math.max(LEAST_CHARS / 2, most - note.length), wholeFile)}${note}`
}

/** @returns the length that texts may have so that all of them together have at most `all`: those that are shorter leave room for the others */
function shareOf(lengths: readonly number[], all: number): number {
  let left = all
  const ascending = [...lengths].sort((a, b) => a - b)
  for (const [index, length] of ascending.entries()) {
    const share = Math.floor(left / (ascending.length - index))
    if (length > share) return share
    left -= length
  }
  return all
}

/** Cuts each long line in its middle, between whole characters, and marks the place. */
export function withShortLines(text: string): string {
  if (text.length <= LINE_CHARS) return text
  return text
    .split('\n')
    .map((line) => {
      if (line.length <= LINE_CHARS) return line
      const head = line.slice(0, LINE_CHARS * 0.7).replace(/[\ud800-\udbff]$/, '')
      const tail = line.slice(line.length - (LINE_CHARS * 0.3 - MARK_CHARS)).replace(/^[\udc00-\udfff]/, '')
      return `${head}[… ${line.length - head.length - tail.length} characters of this line left out …]${tail}`
    })
    .join('\n')
}

/** @returns a function that says of one image after the other whether it may be shown */
function imageGate(): (image: ImageBlock) => boolean {
  let images = 0
  let chars = 0
  return ({ source }) => {
    images += 1
    chars += source.data.length
    return images <= MAX_IMAGES && chars <= IMAGES_CHARS
  }
}
