import { type ComponentType, lazy, memo, Suspense, useMemo, useRef } from 'react'
import { codeOf } from '../../../../client/api/api-error.ts'
import { addressOf } from '../../../../contract/api/routes.ts'
import { Button } from '../../design/controls/button.tsx'
import { CopyButton } from '../../design/controls/copy.tsx'
import { EmptyState, ErrorState, Fault, messageOf, Note, Skeleton } from '../../design/feedback/states.tsx'
import { Icon } from '../../design/icons/icon.tsx'
import { Screen } from '../../design/screen/screen.tsx'
import { useWrap, WrapChoice } from '../code/wrap-choice.tsx'
import { fileSize } from '../text/format.ts'
import { TASK_WORDS } from '../text/words.ts'
import { LogSearch } from './log-search.tsx'
import { logChunks, plain } from './log-text.ts'
import { useOutput } from './use-output.ts'
import './log.css'

const WORDS = TASK_WORDS.log

/** The full output of one tool call, however long, loaded in pages. */
export function LogScreen({ taskId, callId }: { taskId: string; callId: string }) {
  const url = addressOf('downloadOutput', [taskId, callId])
  const output = useOutput(taskId, callId)
  const [wrap, setWrap] = useWrap()
  const text = useRef<HTMLElement>(null)
  const { pages, totalBytes, loadedBytes, error, loading, inEvent, shortened } = output
  const chunks = useMemo(() => logChunks(pages.join('')), [pages])
  const left = totalBytes === null ? 0 : totalBytes - loadedBytes
  return (
    <Screen title={WORDS.title} back={`/task/${taskId}`} wide>
      <div className="log">
        <div className="log-bar">
          <LogSearch text={text} version={loadedBytes} />
          <span className="row">
            <WrapChoice wrap={wrap} onChange={setWrap} />
            <CopyButton text={() => output.all()} label={WORDS.copy} />
            {!inEvent && (
              <a className="icon-button" href={url} download={`${callId}.log`} aria-label={WORDS.download} title={WORDS.download}>
                <Icon name="download" />
              </a>
            )}
          </span>
        </div>
        {shortened !== null && <Note mood="wait">{shortened}</Note>}
        {pages.length === 0 && loading && <Skeleton lines={[90, 70, 80, 40]} rows={2} />}
        {pages.length === 0 && error !== null && codeOf(error) !== 'not_found' && (
          <ErrorState title={WORDS.failed} error={error} onRetry={output.more} />
        )}
        {pages.length === 0 && codeOf(error) === 'not_found' && <EmptyState title={messageOf(error)} />}
        {pages.length > 0 && (
          // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
          <section ref={text} className={wrap ? 'log-text wrapped' : 'log-text'} tabIndex={0} aria-label={WORDS.title}>
            {chunks.map((chunk, index) => (
              <LogChunk key={index} text={chunk} />
            ))}
            {chunks.every((chunk) => chunk.trim() === '') && <p className="soft">{WORDS.empty}</p>}
          </section>
        )}
        {pages.length > 0 && error !== null && <Fault error={error} />}
        {left > 0 && (
          <Button busy={loading} onClick={output.more}>
            {WORDS.more(fileSize(left))}
          </Button>
        )}
      </div>
    </Screen>
  )
}

type Shown = ComponentType<{ text: string }>
// Without a network the code that draws colours may be missing; the text is worth more than its colours.
const Coloured = lazy<Shown>(() => import('./coloured.tsx').catch(() => ({ default: ({ text }) => plain(text) })))

/**
 * One chunk of an output; out of sight it costs no layout. Only text with colours loads the code that draws them.
 */
const LogChunk = memo(({ text }: { text: string }) => (
  <div className="log-chunk">
    {text.includes('\u001b[') ? (
      <Suspense fallback={plain(text)}>
        <Coloured text={text} />
      </Suspense>
    ) : (
      plain(text)
    )}
  </div>
))
