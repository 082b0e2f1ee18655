import { useClient, useSaved } from '../client/hooks.ts'

/** Whether the user has set no git credentials at all; false as long as that is not known. */
export function useNeedsAccess(): boolean {
  const { api } = useClient()
  const { data } = useSaved('credentials', api.credentials)
  return data?.items.length === 0
}
