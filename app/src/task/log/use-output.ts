import { useCallback, useEffect, useRef, useState } from 'react'
import { ApiError, codeOf, isAway } from '../../../../client/api/api-error.ts'
import type { EventData } from '../../../../contract/api/event.ts'
import { addressOf } from '../../../../contract/api/routes.ts'
import { readableOutput } from '../../../../contract/api/tool-output.ts'
import type { Api } from '../../client/api.ts'
import { useClient } from '../../client/hooks.ts'
import { messageOf } from '../../design/feedback/states.tsx'
import { TASK_WORDS } from '../text/words.ts'
import { readRange } from './read-range.ts'

/** Bytes of one page. */
const PAGE_BYTES = 256 * 1024

type Output = {
  pages: readonly string[]
  loadedBytes: number
  totalBytes: number | null
  loading: boolean
  error: unknown
  /** Whether it comes from its event: the server stores only long outputs separately. */
  inEvent: boolean
  /** Why the server does not have the rest; null if there was no more. */
  shortened: string | null
}

const NOTHING: Output = {
  pages: [],
  loadedBytes: 0,
  totalBytes: null,
  loading: true,
  error: null,
  inEvent: false,
  shortened: null,
}

/** The output of a call, read in ranges, or from its event if the server stored no more. */
export function useOutput(taskId: string, callId: string) {
  const { api, connection } = useClient()
  const [output, setOutput] = useState(NOTHING)
  const at = useRef({ busy: false, from: 0, decoder: new TextDecoder() })
  const url = addressOf('downloadOutput', [taskId, callId])

  const more = useCallback(() => {
    const place = at.current
    if (place.busy) return
    place.busy = true
    setOutput((now) => ({ ...now, loading: true, error: null }))
    readRange(url, place.from, PAGE_BYTES)
      .then(({ bytes, totalBytes }) => {
        place.from += bytes.length
        const text = place.decoder.decode(bytes, { stream: place.from < totalBytes })
        setOutput((now) => ({ ...now, pages: [...now.pages, text], loadedBytes: place.from, totalBytes, loading: false }))
      })
      .catch(async (error: unknown) => {
        if (codeOf(error) !== 'not_found' || place.from > 0) throw error
        const { text, shortened } = await shownOutput(api, taskId, callId)
        setOutput({
          ...NOTHING,
          pages: [text],
          loadedBytes: text.length,
          loading: false,
          inEvent: true,
          shortened: shortened ? messageOf(error) : null,
        })
      })
      .catch((error: unknown) => setOutput((now) => ({ ...now, loading: false, error })))
      .finally(() => {
        place.busy = false
      })
  }, [api, url, taskId, callId])
  useEffect(more, [more])
  const isMissing = isAway(output.error)
  useEffect(() => (isMissing ? connection.on('live', more) : undefined), [isMissing, connection, more])

  const all = async (): Promise<string> => {
    if (output.inEvent || output.loadedBytes === output.totalBytes) return output.pages.join('')
    const { bytes } = await readRange(url, 0, null)
    return new TextDecoder().decode(bytes)
  }
  return { ...output, more, all }
}

/** The output as the events hold it: all of it, if it was short. */
async function shownOutput(api: Api, taskId: string, callId: string): Promise<{ text: string; shortened: boolean }> {
  let after = 0
  for (;;) {
    const { events, more } = await api.listEvents(taskId, { after, limit: 1000 })
    for (const event of events) if (event.type === 'tool.ended' && event.data.callId === callId) return shownOf(event.data)
    after = events.at(-1)?.seq ?? after
    if (!more) throw new ApiError('not_found', TASK_WORDS.log.notFound)
  }
}

function shownOf(ended: EventData<'tool.ended'>): { text: string; shortened: boolean } {
  const { output, outputBytes } = ended
  return { text: readableOutput(ended), shortened: outputBytes > new TextEncoder().encode(output).length }
}
