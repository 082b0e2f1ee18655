import { Button } from '../../design/controls/button.tsx'
import { useCopy } from '../../design/controls/copy.tsx'
import { words } from '../../text/words.ts'

/** A secret to read and copy. */
export function Secret({ text }: { text: string }) {
  const { copied, copy } = useCopy(text)
  return (
    <>
      <p className="secret mono">{text}</p>
      <p>
        <Button icon={copied ? 'check' : 'copy'} onClick={copy}>
          {copied ? words.common.copied : words.common.copy}
        </Button>
      </p>
    </>
  )
}
