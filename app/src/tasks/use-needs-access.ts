import { useQuery } from '@tanstack/react-query'
import { useClient } from '../client/hooks.ts'

/** Whether the user has set no git credentials at all; false as long as that is not known. */
export const useNeedsAccess = (): boolean => {
  const { api } = useClient()
  const { data } = useQuery({ queryKey: ['credentials'], queryFn: api.credentials, staleTime: 60_000 })
  return data?.items.length === 0
}
