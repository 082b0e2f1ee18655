import Anser from 'anser'
import { printable } from './log-text.ts'

/** Text in terminal colours, as classes: the content security policy forbids inline styles. */
function Coloured({ text }: { text: string }) {
  return Anser.ansiToJson(printable(text), { json: true, use_classes: true, remove_empty: true }).map(
    ({ content, fg, bg, decorations }, index) => {
      const classes = [fg, bg && `${bg}-bg`, ...decorations.map((name) => `ansi-${name}`)].filter(Boolean).join(' ')
      return classes === '' ? (
        content
      ) : (
        <span key={index} className={classes}>
          {content}
        </span>
      )
    },
  )
}
export default Coloured
