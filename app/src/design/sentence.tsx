/** A sentence in which commands stand between backticks, as the server and the words file write them. */
export function Sentence({ text }: { text: string }) {
  // Between the first and the second backtick is a command, and so on: the odd ones.
  return text.split('`').map((part, index) => (index % 2 === 1 ? <code key={part}>{part}</code> : part))
}
