import { useQuery } from '@tanstack/react-query'
import { useEffect } from 'react'
import { isUnderWay } from '../../../../client/task-summary.ts'
import type { Task } from '../../../../contract/api/api.ts'
import type { Changes } from '../../../../contract/api/changes.ts'
import { useClient, useSteady } from '../../client/hooks.ts'

/** The latest end of a turn that a task shows. */
type Mark = { ended: number; at: string | null }

/**
 * The changes of a task. `isStale`: a turn has ended since they were loaded. The screen then offers the new state instead of replacing
 * what the user reads; an empty list reloads at once.
 */
export function useChanges(task: Task | undefined, taskId: string, turn: number | undefined) {
  const { api, queries } = useClient()
  const query = useQuery({
    queryKey: ['changes', taskId, turn ?? 'all'],
    queryFn: async (): Promise<{ changes: Changes; mark: Mark }> => {
      // A user who comes by a link has no task yet; without one, everything would look newer.
      const known = queries.ensureQueryData({ queryKey: ['task', taskId], queryFn: () => api.findTask(taskId) })
      const mark = markOf(await known.catch(() => undefined))
      return { changes: await api.findChanges(taskId, { turn }), mark }
    },
  })
  const asked = useSteady(query)
  const { data, refetch } = asked
  const isStale = data !== undefined && isNewer(markOf(task), data.mark)
  const isEmpty = data?.changes.files.length === 0
  useEffect(() => {
    if (isStale && isEmpty) void refetch()
  }, [isStale, isEmpty, refetch])
  return { ...asked, data: data?.changes, isStale: isStale && !isEmpty }
}

function markOf(task: Task | undefined): Mark {
  return {
    ended: task ? task.turn - (isUnderWay(task.status) ? 1 : 0) : 0,
    at: task?.completedAt ?? null,
  }
}

/** The same turn may end again, after a retry. */
function isNewer(now: Mark, then: Mark): boolean {
  return now.ended > then.ended || (now.at !== null && now.at !== then.at)
}
