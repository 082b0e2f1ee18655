import { readdir, readFile } from 'node:fs/promises'
import { dirname, join, relative, sep } from 'node:path'
import { parse } from '@swc/core'

/** One source file, with what the rules of the house look at. Paths are relative to the repository, with forward slashes. */
export type Source = { file: string; folder: string; text: string; lines: number; imports: Import[]; functions: FunctionSize[] }
export type Import = { file: string; from: string; typeOnly: boolean }
export type FunctionSize = { name: string; lines: number }

const ROOT = join(import.meta.dirname, '../../..')

/** @returns every TypeScript and JavaScript file below these folders, in the order of their paths */
export async function readSources(rooms: readonly string[]): Promise<Source[]> {
  const files: string[] = []
  for (const room of rooms)
    for (const entry of await readdir(join(ROOT, room), { recursive: true, withFileTypes: true }))
      if (
        entry.isFile() &&
        /(?<!\.d)\.(ts|tsx|mts|mjs)$/.test(entry.name) &&
        !/\b(node_modules|dist|template)\b/.test(entry.parentPath)
      )
        files.push(relative(ROOT, join(entry.parentPath, entry.name)).split(sep).join('/'))
  return Promise.all(files.sort().map(readSource))
}

async function readSource(file: string): Promise<Source> {
  const text = await readFile(join(ROOT, file), 'utf8')
  return { file, folder: dirname(file), text, lines: text.split('\n').length - 1, ...(await look(file, text)) }
}

/** Reads one file that may exist in the caller's mind alone: a planted breach. */
export async function look(file: string, text: string): Promise<Pick<Source, 'imports' | 'functions'>> {
  const tree = await parse(text, { syntax: 'typescript', tsx: file.endsWith('.tsx'), target: 'es2022' })
  const imports: Import[] = []
  for (const item of tree.body)
    if ('source' in item && item.source)
      imports.push({ file, from: item.source.value, typeOnly: 'typeOnly' in item && item.typeOnly === true })
  for (const match of stripComments(text).matchAll(/\bimport\(\s*['"]([^'"]+)['"]\s*\)/g))
    if (match[1]) imports.push({ file, from: match[1], typeOnly: false })
  return { imports, functions: sizesOf(tree.body, text) }
}

export function stripComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '')
}

/** Files that lead back to themselves, a circle a line, each with its files in the order of their names. */
export function circles(all: readonly Pick<Source, 'file' | 'imports'>[]): string[] {
  const next = new Map(
    all.map(({ file, imports }) => [file, imports.map(({ from }) => targetFile(file, from)).filter((to) => to !== null)]),
  )
  const reach = (from: string): Set<string> => {
    const seen = new Set<string>()
    const open = [...(next.get(from) ?? [])]
    for (let file = open.pop(); file !== undefined; file = open.pop())
      if (!seen.has(file)) {
        seen.add(file)
        open.push(...(next.get(file) ?? []))
      }
    return seen
  }
  const reached = new Map([...next.keys()].map((file) => [file, reach(file)]))
  const inCircle = [...reached].filter(([file, seen]) => seen.has(file))
  return [
    ...new Set(
      inCircle.map(([file, seen]) =>
        [...seen]
          .filter((other) => reached.get(other)?.has(file))
          .sort()
          .join(' '),
      ),
    ),
  ]
}

/** @returns the file that a relative import leads to; null for a package */
export function targetFile(file: string, from: string): string | null {
  return from.startsWith('.')
    ? relative(ROOT, join(ROOT, dirname(file), from))
        .split(sep)
        .join('/')
    : null
}

/** @returns the folder of the file that a relative import leads to */
export function targetFolder(file: string, from: string): string {
  return dirname(targetFile(file, from) ?? '')
}

/** @returns `npm:<package>` */
export function packageOf(from: string): string {
  return `npm:${from
    .split('/')
    .slice(0, from.startsWith('@') ? 2 : 1)
    .join('/')}`
}

type Node = { type?: string; span?: { start: number; end: number }; [key: string]: unknown }

const FUNCTION = /^(FunctionDeclaration|FunctionExpression|ArrowFunctionExpression|ClassMethod|MethodProperty)$/

/** Every function with a body, however deep, with the lines from its first word to its last brace. */
function sizesOf(body: unknown, text: string): FunctionSize[] {
  const found: FunctionSize[] = []
  const bytes = Buffer.from(text)
  const linesIn = ({ start, end }: { start: number; end: number }) => bytes.subarray(start, end).toString().split('\n').length
  const walk = (node: unknown, name: string, offset: number): void => {
    if (typeof node !== 'object' || node === null) return
    if (Array.isArray(node)) {
      for (const item of node) walk(item, name, offset)
      return
    }
    const { type, span, ...children } = node as Node
    const own = nameOf(node as Node) ?? name
    if (span && type && FUNCTION.test(type))
      found.push({ name: own, lines: linesIn({ start: span.start - offset, end: span.end - offset }) })
    for (const child of Object.values(children)) walk(child, own, offset)
  }
  // The parser counts bytes over all that it ever read; the first statement begins at the first word of this file.
  const first = (body as Node[])[0]?.span?.start ?? 0
  walk(body, 'the file', first - Buffer.byteLength(/^(?:\s|\/\/[^\n]*\n|\/\*[\s\S]*?\*\/|#![^\n]*\n)*/.exec(text)?.[0] ?? ''))
  return found
}

function nameOf({ identifier, id, key }: Node): string | undefined {
  for (const named of [identifier, id, key])
    if (typeof (named as { value?: unknown })?.value === 'string') return (named as { value: string }).value
  return undefined
}
