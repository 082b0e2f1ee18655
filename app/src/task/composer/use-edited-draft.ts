import { useEffect } from 'react'
import { useClient, useDraft } from '../../client/hooks.ts'

/** A draft that also takes up a message which was put back into it to be changed. */
export const useEditedDraft = (place: string): [string, (text: string) => void] => {
  const { drafts } = useClient()
  const [text, write] = useDraft(place)
  useEffect(() => {
    const take = (event: Event) => {
      if ((event as CustomEvent<string>).detail === place) write(drafts.read(place))
    }
    addEventListener('errand:draft', take)
    return () => removeEventListener('errand:draft', take)
  }, [drafts, place, write])
  return [text, write]
}
