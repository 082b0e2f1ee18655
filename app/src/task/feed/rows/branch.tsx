import { Icon } from '../../../design/icons/icon.tsx'
import { TASK_WORDS } from '../../text/words.ts'
import './branch.css'
import { CopyButton } from '../../../design/controls/copy.tsx'

const WORDS = TASK_WORDS.end

/** The name of a task's branch, with a button to copy it. */
export function Branch({ name }: { name: string }) {
  return (
    <div className="branch">
      <Icon name="branch" size={16} />
      <span className="mono">{name}</span>
      <CopyButton text={name} label={WORDS.copyBranch} />
    </div>
  )
}

export function PullRequestLink({ url }: { url: string }) {
  return (
    <a className="button plain" href={url} target="_blank" rel="noopener noreferrer">
      <Icon name="external" size={18} />
      {WORDS.openPullRequest}
    </a>
  )
}
