import type { NewEvent } from '../../contract/api/event.ts'
import type { Change, TaskRow } from '../store/tasks.ts'

/** Pure. What an event changes in its task's row. */
export function foldEvent(task: TaskRow, event: NewEvent): Change {
  switch (event.type) {
    case 'usage.counted':
      return {
        input_tokens: task.input_tokens + event.data.inputTokens,
        output_tokens: task.output_tokens + event.data.outputTokens,
        cache_read_tokens: task.cache_read_tokens + event.data.cacheReadTokens,
        cache_write_tokens: task.cache_write_tokens + event.data.cacheWriteTokens,
        cost_usd: task.cost_usd + event.data.costUsd,
      }
    case 'turn.ended': {
      const { diff } = event.data
      return diff ? { diff_files: diff.files, diff_insertions: diff.insertions, diff_deletions: diff.deletions } : {}
    }
    case 'pull_request.opened':
      return { pull_request_url: event.data.url }
    default:
      return {}
  }
}
