import { Component, type ReactNode } from 'react'
import { Button } from '../design/controls/button.tsx'
import { useCopy } from '../design/controls/copy.tsx'
import { reloadToNewest } from '../device/new-version.ts'
import { words } from '../text/words.ts'

/** Shown when a screen throws. React requires a class here. */
export class CrashBoundary extends Component<{ children: ReactNode }, { error: Error | null }> {
  override state: { error: Error | null } = { error: null }

  static getDerivedStateFromError(error: unknown): { error: Error } {
    return { error: error instanceof Error ? error : new Error(String(error)) }
  }

  override render(): ReactNode {
    const { error } = this.state
    return error ? <Crash error={error} /> : this.props.children
  }
}

function Crash({ error }: { error: Error }) {
  const { copied, copy } = useCopy(`${location.href}\n${error.stack ?? error.message}`)
  return (
    <main className="crash">
      <div className="state" role="alert">
        <h1>{words.crash.title}</h1>
        <p className="soft">{words.crash.text}</p>
        <pre className="small crash-details">{error.message}</pre>
        <div className="row">
          <Button look="main" icon="retry" onClick={() => void reloadToNewest()}>
            {words.crash.reload}
          </Button>
          <Button icon={copied ? 'check' : 'copy'} onClick={copy}>
            {copied ? words.common.copied : words.crash.copy}
          </Button>
        </div>
      </div>
    </main>
  )
}
