import { IconButton } from '../../design/button.tsx'
import { useCopy } from '../../design/use-copy.ts'
import { TASK_WORDS } from '../words.ts'

/** An icon that copies, and says so for a moment. */
export function CopyButton({ text, label = TASK_WORDS.work.copy }: { text: string | (() => Promise<string>); label?: string }) {
  const { copied, copy } = useCopy(text)
  return <IconButton icon={copied ? 'check' : 'copy'} label={copied ? TASK_WORDS.work.copied : label} onClick={copy} />
}
