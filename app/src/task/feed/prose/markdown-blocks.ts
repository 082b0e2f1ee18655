const FENCE = /^ {0,3}(```+|~~~+)/
const LIST = /^ {0,3}(?:[-*+]|\d{1,9}[.)])\s/

/**
 * Splits markdown at the empty lines between its blocks, so that each is rendered on its own and only the last one changes while text is
 * written. Fenced code stays whole, and so does a list with empty lines in it.
 */
export function markdownBlocks(text: string): string[] {
  const blocks: string[] = []
  let lines: string[] = []
  let fence: string | null = null
  let empty = false
  for (const line of text.split('\n')) {
    const mark = FENCE.exec(line)?.[1] ?? null
    if (fence === null && empty && line.trim() !== '' && !continues(lines, line)) {
      blocks.push(lines.join('\n'))
      lines = []
    }
    if (fence === null) fence = mark
    else if (mark?.startsWith(fence) && line.trim() === mark) fence = null
    empty = fence === null && line.trim() === ''
    if (!empty || lines.length > 0) lines.push(line)
  }
  if (lines.some((line) => line.trim() !== '')) blocks.push(lines.join('\n'))
  return blocks
}

function continues(lines: readonly string[], line: string): boolean {
  return LIST.test(lines[0] ?? '') && (LIST.test(line) || /^\s{2,}\S/.test(line))
}
