import { useEffect, useState } from 'react'
import { IconButton } from '../../design/button.tsx'
import { copyText } from '../copy-text.ts'
import { TASK_WORDS } from '../words.ts'

/** Copies, and says so for a moment. `text` may be what has to be fetched first. */
export const CopyButton = ({
  text,
  label = TASK_WORDS.work.copy,
}: {
  text: string | (() => Promise<string>)
  label?: string
}) => {
  const [copied, setCopied] = useState(false)
  useEffect(() => {
    if (!copied) return
    const timer = setTimeout(() => setCopied(false), 1_500)
    return () => clearTimeout(timer)
  }, [copied])
  const copy = async () => {
    // What cannot be fetched is not copied: the button then does not say that it was.
    const copied = typeof text === 'string' ? text : await text().catch(() => null)
    setCopied(copied !== null && (await copyText(copied)))
  }
  return (
    <IconButton icon={copied ? 'check' : 'copy'} label={copied ? TASK_WORDS.work.copied : label} onClick={() => void copy()} />
  )
}
