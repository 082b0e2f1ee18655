import { useEffect, useState } from 'react'
import { words } from '../../text/words.ts'
import { IconButton } from './button.tsx'

const CONFIRM_MS = 1_500

/** An icon button that copies, and confirms it for a moment. */
export function CopyButton({ text, label = words.common.copy }: { text: string | (() => Promise<string>); label?: string }) {
  const { copied, copy } = useCopy(text)
  return <IconButton icon={copied ? 'check' : 'copy'} label={copied ? words.common.copied : label} onClick={copy} />
}

/** Copies, and confirms it for a moment. `text` may be a function that fetches it first. */
export function useCopy(text: string | (() => Promise<string>)): { copied: boolean; copy: () => void } {
  const [copied, setCopied] = useState(false)
  useEffect(() => {
    if (!copied) return
    const timer = setTimeout(() => setCopied(false), CONFIRM_MS)
    return () => clearTimeout(timer)
  }, [copied])
  const copy = async () => {
    // If the fetch fails, nothing is copied and nothing is confirmed.
    const fetched = typeof text === 'string' ? text : await text().catch(() => null)
    setCopied(fetched !== null && (await copyText(fetched)))
  }
  return { copied, copy: () => void copy() }
}

/** @returns whether the text is on the clipboard: a browser may refuse, and a page without HTTPS has no clipboard */
async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text)
    return true
  } catch {
    return copyBySelection(text)
  }
}

function copyBySelection(text: string): boolean {
  const focused = document.activeElement
  const area = document.createElement('textarea')
  area.value = text
  area.readOnly = true
  area.className = 'hidden-for-eyes'
  // Outside an open dialog nothing can be selected.
  const place = [...document.querySelectorAll('dialog[open]')].at(-1) ?? document.body
  place.append(area)
  area.select()
  const done = document.execCommand('copy')
  area.remove()
  if (focused instanceof HTMLElement) focused.focus({ preventScroll: true })
  return done
}
