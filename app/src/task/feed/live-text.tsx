import { AgentText } from './agent-text.tsx'

/** The text that is being written right now; the stored one takes its place. */
export function LiveText({ text }: { text: string | null }) {
  return text === null || text.trim() === '' ? null : (
    <div className="live-text" data-live="">
      <AgentText text={text} />
    </div>
  )
}
