import { useEffect, useState } from 'react'
import { copyText } from './copy-text.ts'

/** As long as it is said that something was copied. */
const SAID_MS = 1_500

/** Copies, and says so for a moment. `text` may be what has to be fetched first. */
export function useCopy(text: string | (() => Promise<string>)): { copied: boolean; copy: () => void } {
  const [copied, setCopied] = useState(false)
  useEffect(() => {
    if (!copied) return
    const timer = setTimeout(() => setCopied(false), SAID_MS)
    return () => clearTimeout(timer)
  }, [copied])
  const copy = async () => {
    // What cannot be fetched is not copied: the button then does not say that it was.
    const fetched = typeof text === 'string' ? text : await text().catch(() => null)
    setCopied(fetched !== null && (await copyText(fetched)))
  }
  return { copied, copy: () => void copy() }
}
