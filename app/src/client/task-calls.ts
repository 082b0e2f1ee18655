import { useMutation } from '@tanstack/react-query'
import type { RetryTask } from '../../../contract/api/api.ts'
import { dropTask } from './drop-task.ts'
import { useClient } from './hooks.ts'

/** Cancels a task and updates the lists and the task. */
export function useCancelTask(taskId: string) {
  const { api, queries } = useClient()
  return useMutation({
    mutationFn: () => api.cancelTask(taskId),
    onSuccess: (task) => queries.setQueryData(['task', taskId], task),
  })
}

/** Runs the last turn of an ended task again. */
export function useRetryTask(taskId: string) {
  const { api, queries } = useClient()
  return useMutation({
    mutationFn: (retry: RetryTask) => api.retryTask(taskId, retry),
    onSuccess: (task) => queries.setQueryData(['task', taskId], task),
  })
}

/** Deletes an ended task for good, and everything that this device keeps of it. */
export function useDeleteTask(taskId: string): () => Promise<void> {
  const client = useClient()
  return async () => {
    await client.api.deleteTask(taskId)
    await dropTask(client, taskId)
  }
}
