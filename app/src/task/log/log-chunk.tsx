import { lazy, memo, Suspense } from 'react'

const Coloured = lazy(() => import('./coloured.tsx'))

/**
 * One piece of an output; out of sight it costs no layout. What needs colours gets them; the rest never loads the part that knows them.
 */
export const LogChunk = memo(({ text }: { text: string }) => (
  <div className="log-chunk">
    {text.includes('\u001b[') ? (
      <Suspense fallback={printable(text)}>
        <Coloured text={text} />
      </Suspense>
    ) : (
      printable(text)
    )}
  </div>
))

/** Of a line that was written over, its last state; no control and no direction characters, which make text look like another. */
export const printable = (text: string): string =>
  text
    .replaceAll('\r\n', '\n')
    .replace(/[^\n]*\r(?!\n)/g, '')
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is removed
    .replace(/[\u0000-\u0008\u000b-\u001a\u001c-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, '')
