import { type ComponentProps, memo } from 'react'
import ReactMarkdown, { type Components } from 'react-markdown'
import remarkGfm from 'remark-gfm'
import { visibleMarks } from '../visible-marks.ts'
import { TASK_WORDS } from '../words.ts'
import { Code, Source } from './code.tsx'
import { markdownBlocks } from './markdown-blocks.ts'
import { readable } from './readable.ts'

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
