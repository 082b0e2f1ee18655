import { type ComponentProps, createContext, useContext } from 'react'
import type { ExtraProps } from 'react-markdown'
import { CodePieces } from '../code/code-pieces.tsx'
import { languageOf } from '../code/language.ts'
import { usePieces } from '../code/use-pieces.ts'

/** The markdown that a code stands in. */
export const Source = createContext('')

/** Code in markdown, coloured once its fence is closed: while it is written it would be coloured anew with every word. */
export function Code({ node, className, children, ...rest }: ComponentProps<'code'> & ExtraProps) {
  const source = useContext(Source)
  const text = typeof children === 'string' ? children : ''
  const name = /language-(\S+)/.exec(className ?? '')?.[1]
  const isWritten = isClosed(source.slice(0, node?.position?.end.offset ?? 0))
  const pieces = usePieces(text, name && isWritten ? languageOf(name) : null)
  return <code {...rest}>{pieces ? <CodePieces pieces={pieces} /> : children}</code>
}

/** @returns whether a fenced block that reaches to the end of this text ends with its fence */
function isClosed(text: string): boolean {
  return /\n[ \t>]*(```+|~~~+)[ \t]*$/.test(text)
}
