import { lazy, memo, Suspense } from 'react'
import { plain } from './printable.ts'

const Coloured = lazy(() => import('./coloured.tsx'))

/**
 * One chunk of an output; out of sight it costs no layout. Only text with colours loads the code that draws them.
 */
export const LogChunk = memo(({ text }: { text: string }) => (
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
