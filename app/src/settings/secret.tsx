import { useState } from 'react'
import { Button } from '../design/button.tsx'
import { words } from '../words.ts'

/** Something to be carried elsewhere: to read, and to copy where the browser lets us (over HTTPS and on localhost). */
export const Secret = ({ text }: { text: string }) => {
  const [copied, setCopied] = useState(false)
  return (
    <>
      <p className="secret mono">{text}</p>
      {navigator.clipboard && (
        <p>
          <Button
            icon={copied ? 'check' : 'copy'}
            onClick={() => void navigator.clipboard.writeText(text).then(() => setCopied(true))}
          >
            {copied ? words.common.copied : words.common.copy}
          </Button>
        </p>
      )}
    </>
  )
}
