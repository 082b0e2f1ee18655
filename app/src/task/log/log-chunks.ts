/** Lines of one piece: `log.css` reserves the room of as many for a piece that is out of sight. */
const LINES = 100
/** A longer line is shown in pieces: one of a megabyte would hold up the whole page. */
const CHARS = 20_000

/**
 * Cuts an output at the ends of its lines into pieces that a browser can lay out one by one. A colour that one piece leaves on is on in
 * the next.
 */
export function logChunks(text: string): string[] {
  const chunks: string[] = []
  let colours = ''
  for (let from = 0; from < text.length; ) {
    const to = endOf(text, from)
    const chunk = text.slice(from, to)
    chunks.push(colours + chunk)
    colours = coloursAfter(colours, chunk)
    from = to
  }
  return chunks
}

function endOf(text: string, from: number): number {
  const most = from + CHARS
  let end = from
  for (let lines = 0; lines < LINES; lines++) {
    const next = text.indexOf('\n', end) + 1
    if (next === 0 || next > most) {
      if (next === 0 && text.length <= most) return text.length
      // Whole lines before it are a piece without it.
      return end > from ? end : most - Number(isHalf(text, most))
    }
    end = next
  }
  return end
}

/** Whether a cut would go through a character. */
function isHalf(text: string, at: number): boolean {
  return (text.charCodeAt(at - 1) & 0xfc00) === 0xd800
}

/** @returns the escape sequences that are in force: those since the last one that takes all back */
function coloursAfter(before: string, chunk: string): string {
  let now = before
  // biome-ignore lint/suspicious/noControlCharactersInRegex: a terminal's colours begin with one
  for (const [sequence, codes = ''] of chunk.matchAll(/\u001b\[([\d;]*)m/g))
    now = codes === '' || codes === '0' ? '' : (now + sequence).slice(-200)
  return now
}
