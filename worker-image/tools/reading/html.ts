/** What nobody reads, and code, which stays as it stands. */
const OPENING = /<!--|<(script|style|noscript|template|svg|head|iframe|pre)\b/gi
const BLOCK =
  /<\/?(p|div|section|article|main|header|footer|nav|aside|ul|ol|table|tr|blockquote|form|figure|dl|dt|dd|br|hr)\b[^<>]*>/gi
// None of these goes beyond the next bracket, so that the search is linear.
const TAG = /<\/?[a-z!][^<>]*>/gi

/** Pure. A page of HTML as text that can be read: headings, lists, links with their addresses, code as it stands. */
export function htmlText(html: string): string {
  const title = /<title[^<>]*>([^<]{0,500})/i.exec(html)?.[1]?.trim()
  const code: string[] = []
  const marked = withoutHidden(html, code)
    .replace(/\s+/g, ' ')
    .replace(/<h([1-6])\b[^<>]*>/gi, (_whole, level: string) => `\n\n${'#'.repeat(Number(level))} `)
    .replace(/<\/h[1-6]\s*>/gi, '\n\n')
    .replace(/<li\b[^<>]*>/gi, '\n- ')
    .replace(/<t[dh]\b[^<>]*>/gi, ' | ')
    .replace(/<a\b[^<>]*?\bhref\s*=\s*["']?(https?:[^"'\s>]{1,500})[^<>]*>([^<]{0,500})<\/a\s*>/gi, '$2 ($1)')
    .replace(BLOCK, '\n')
    .replace(TAG, '')
  const text = decoded(marked)
    .replace(/[ \t]*\n[ \t]*/g, '\n')
    .replace(/\n{3,}/g, '\n\n')
    // biome-ignore lint/suspicious/noControlCharactersInRegex: it marks where code stood, and HTML has none
    .replace(/\u0000(\d+)\u0000/g, (_whole, index: string) => `\`\`\`\n${(code[Number(index)] ?? '').trimEnd()}\n\`\`\``)
    .trim()
  return title ? `${decoded(title)}\n\n${text}` : text
}

/** @param code takes the code of the page; a mark stays in its place */
function withoutHidden(html: string, code: string[]): string {
  const lower = html.replace(/[A-Z]+/g, (letters) => letters.toLowerCase())
  const parts: string[] = []
  let at = 0
  for (const match of lower.matchAll(OPENING)) {
    if (match.index < at) continue
    parts.push(html.slice(at, match.index))
    const name = match[1]
    const close = lower.indexOf(name ? `</${name}` : '-->', match.index + match[0].length)
    const end = close < 0 ? html.length : close
    if (name === 'pre') {
      code.push(decoded(html.slice(lower.indexOf('>', match.index) + 1, end).replace(TAG, '')))
      parts.push(`\n\n\u0000${code.length - 1}\u0000\n\n`)
    }
    at = close < 0 ? html.length : Math.max(close + 3, name ? lower.indexOf('>', close) + 1 : 0)
    if (at >= html.length) break
  }
  return [...parts, html.slice(at)].join('')
}

const NAMED: Readonly<Record<string, string>> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
  nbsp: ' ',
  mdash: '—',
  ndash: '–',
  hellip: '…',
  copy: '©',
  rsquo: '’',
  lsquo: '‘',
  ldquo: '“',
  rdquo: '”',
  rarr: '→',
  times: '×',
}

function decoded(text: string): string {
  return text.replace(/&(#x[0-9a-f]{1,6}|#\d{1,7}|[a-z]{2,10});/gi, (whole, name: string) => {
    if (!name.startsWith('#')) return NAMED[name.toLowerCase()] ?? whole
    const code = /^#x/i.test(name) ? Number.parseInt(name.slice(2), 16) : Number(name.slice(1))
    return code > 0 && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff) ? String.fromCodePoint(code) : whole
  })
}
