import bash from 'highlight.js/lib/languages/bash'
import css from 'highlight.js/lib/languages/css'
import diff from 'highlight.js/lib/languages/diff'
import javascript from 'highlight.js/lib/languages/javascript'
import json from 'highlight.js/lib/languages/json'
import python from 'highlight.js/lib/languages/python'
import typescript from 'highlight.js/lib/languages/typescript'
import xml from 'highlight.js/lib/languages/xml'
import { createLowlight } from 'lowlight'
import type { Language, Piece, PieceKind } from './code.ts'

const lowlight = createLowlight({
  bash,
  css,
  diff,
  javascript,
  json,
  python,
  typescript,
  xml,
} satisfies Record<Language, unknown>)

/** Heavy: only `code-pieces.tsx` loads it. @returns the whole text in pieces, in order; markup in it is plain text */
export function highlight(text: string, language: Language): Piece[] {
  const pieces: Piece[] = []
  const walk = (nodes: readonly Node[], kind: PieceKind | null) => {
    for (const node of nodes) {
      if (node.type === 'text') pieces.push({ text: node.value ?? '', kind })
      else walk(node.children ?? [], KINDS[String(classesOf(node)[0]).replace('hljs-', '')] ?? kind)
    }
  }
  walk(lowlight.highlight(language, text).children, null)
  return pieces
}

type Node = { type: string; value?: string; children?: readonly Node[]; properties?: { className?: unknown } }

function classesOf({ properties }: Node): unknown[] {
  return Array.isArray(properties?.className) ? properties.className : []
}

/** Maps the library's scopes to the few kinds that a reader can tell apart at a glance. */
const KINDS: Readonly<Record<string, PieceKind>> = {
  keyword: 'keyword',
  built_in: 'keyword',
  'selector-tag': 'keyword',
  operator: 'keyword',
  string: 'string',
  regexp: 'string',
  addition: 'string',
  number: 'number',
  literal: 'number',
  symbol: 'number',
  variable: 'number',
  deletion: 'number',
  comment: 'comment',
  quote: 'comment',
  meta: 'comment',
  title: 'name',
  name: 'name',
  attr: 'name',
  attribute: 'name',
  property: 'name',
  type: 'name',
  section: 'name',
  'selector-class': 'name',
  'selector-id': 'name',
}
