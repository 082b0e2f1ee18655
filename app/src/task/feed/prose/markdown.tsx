import { type ComponentProps, createContext, memo, useContext } from 'react'
import ReactMarkdown, { type Components, type ExtraProps } from 'react-markdown'
import remarkGfm from 'remark-gfm'
import { languageOf } from '../../code/code.ts'
import { CodePieces, usePieces } from '../../code/code-pieces.tsx'
import { visibleMarks } from '../../text/format.ts'
import { TASK_WORDS } from '../../text/words.ts'
import { markdownBlocks } from './markdown-blocks.ts'

/** The markdown around a code block. */
const Source = createContext('')

/** Text of the agent. It is never HTML, loads no image, and a link with a scheme such as `javascript:` leads nowhere. */
function Markdown({ text }: { text: string }) {
  return (
    <div className="prose">
      {markdownBlocks(text).map((block, index) => (
        // A block's place is its identity: text only ever grows at the end.
        <Block key={index} text={block} />
      ))}
    </div>
  )
}
export default Markdown

const Block = memo(({ text }: { text: string }) => (
  <Source value={text}>
    <ReactMarkdown remarkPlugins={REMARK} rehypePlugins={REHYPE} components={COMPONENTS}>
      {text}
    </ReactMarkdown>
  </Source>
))

const REMARK = [remarkGfm]
const REHYPE = [readable]

function Link({ href, children }: ComponentProps<'a'>) {
  return href ? (
    <a href={href} target="_blank" rel="noopener noreferrer">
      {children}
    </a>
  ) : (
    <span>{children}</span>
  )
}

function lowered(level: 3 | 4 | 5) {
  const Heading = `h${level}` as const
  return ({ dir, children }: ComponentProps<'h3'>) => <Heading dir={dir}>{children}</Heading>
}

const COMPONENTS: Components = {
  a: Link,
  code: Code,
  img: ({ alt }) => <span className="muted">{TASK_WORDS.feed.image(visibleMarks(alt ?? ''))}</span>,
  // Below the screen's own h1 and the turns' h2.
  h1: lowered(3),
  h2: lowered(3),
  h3: lowered(4),
  h4: lowered(4),
  h5: lowered(5),
  h6: lowered(5),
  pre: ({ children }) => (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
    <pre tabIndex={0}>{children}</pre>
  ),
  table: ({ dir, children }) => (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
    <div className="table-scroll" tabIndex={0}>
      <table dir={dir}>{children}</table>
    </div>
  ),
}

/** Code in markdown, highlighted once its fence is closed: before that, every new word would highlight it again. */
function Code({ node, className, children, ...rest }: ComponentProps<'code'> & ExtraProps) {
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

/** The part of an HTML tree that this file reads. */
type HtmlNode = { type: string; value?: string; properties?: Record<string, unknown>; children?: HtmlNode[] }

/** Makes agent markdown safe to read: each block gets its own direction, and marks that reorder text show as their names. */
function readable() {
  return (tree: HtmlNode) => {
    for (const block of tree.children ?? []) if (block.properties) block.properties.dir = 'auto'
    nameMarks(tree)
  }
}

/** Works on the parsed text, because the source may also contain a mark as `&#x202e;`. */
function nameMarks(node: HtmlNode): void {
  if (node.type === 'text' && node.value !== undefined) node.value = visibleMarks(node.value)
  for (const child of node.children ?? []) nameMarks(child)
}
