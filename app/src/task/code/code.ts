export type PieceKind = 'keyword' | 'string' | 'number' | 'comment' | 'name'
/** A part of a code's text and its kind; null if it has no colour. */
export type Piece = { text: string; kind: PieceKind | null }

/** @returns the pieces of each line, without line breaks */
export function byLine(pieces: readonly Piece[]): Piece[][] {
  const lines: Piece[][] = [[]]
  for (const { text, kind } of pieces)
    for (const [index, part] of text.split('\n').entries()) {
      if (index > 0) lines.push([])
      if (part !== '') lines.at(-1)?.push({ text: part, kind })
    }
  return lines
}

/** The highlighted languages, by their names in fences and file endings. Everything else stays plain. */
const NAMES = {
  javascript: ['js', 'jsx', 'mjs', 'cjs', 'javascript'],
  typescript: ['ts', 'tsx', 'mts', 'cts', 'typescript'],
  json: ['json', 'jsonc'],
  python: ['py', 'python', 'python3'],
  bash: ['sh', 'bash', 'zsh', 'shell', 'console'],
  diff: ['diff', 'patch'],
  css: ['css'],
  xml: ['html', 'xml', 'svg'],
} as const

export type Language = keyof typeof NAMES

const LANGUAGES = new Map<string, Language>(
  Object.entries(NAMES).flatMap(([language, names]) => names.map((name) => [name, language as Language] as const)),
)

/** @param name of a fence, like `ts`. @returns null if it is not highlighted */
export function languageOf(name: string): Language | null {
  return LANGUAGES.get(name.toLowerCase()) ?? null
}

/** @returns a file's language, by its extension */
export function languageOfFile(path: string): Language | null {
  return languageOf(path.slice(path.lastIndexOf('.') + 1))
}
