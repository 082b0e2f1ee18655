const LINE_FEED = 10

/**
 * Passes a stream of server-sent events on by whole lines: of a line that is not finished no reader can make anything, and so the
 * stream can always be ended well. Nothing else is held back, and no byte is changed.
 */
export function openEventStream() {
  let begun: Buffer[] = []
  let lastLine = ''
  return {
    /** @returns the bytes that may go on now; often all, sometimes none */
    take: (chunk: Buffer): Buffer => {
      const end = chunk.lastIndexOf(LINE_FEED) + 1
      if (end === 0) {
        begun.push(chunk)
        return Buffer.alloc(0)
      }
      const ready = Buffer.concat([...begun, chunk.subarray(0, end)])
      begun = [chunk.subarray(end)]
      lastLine = ready.subarray(ready.lastIndexOf(LINE_FEED, ready.length - 2) + 1).toString('utf8')
      return ready
    },
    /** @returns what was held back, for a stream that ended by itself without a line's end */
    rest: (): Buffer => Buffer.concat(begun),
    /**
     * @returns the last bytes of a stream that was cut: an `error` event as the model API writes it. A half line is left out; an event
     *   whose data had arrived is finished first, one that had only been named is renamed.
     */
    lastWords: (message: string): string => {
      const event = `event: error\ndata: ${JSON.stringify({ type: 'error', error: { type: 'api_error', message } })}\n\n`
      return lastLine.startsWith('data:') ? `\n${event}` : event
    },
  }
}
