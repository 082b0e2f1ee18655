import { useMutation } from '@tanstack/react-query'
import { isAway } from '../../../../../client/api/api-error.ts'
import type { Unsent } from '../../../../../client/outbox.ts'
import { useClient, useUnsent } from '../../../client/hooks.ts'
import { Button } from '../../../design/controls/button.tsx'
import { messageOf } from '../../../design/feedback/states.tsx'
import type { ItemOf } from '../../model/feed-items.ts'
import { TASK_WORDS } from '../../text/words.ts'
import { MessageBubble } from './message-bubble.tsx'

const WORDS = TASK_WORDS.feed

/** Messages that no agent has read yet, and messages that have not left this device. */
export function WaitingMessages({ taskId, waiting }: { taskId: string; waiting: readonly ItemOf<'message'>[] }) {
  const unsent = useUnsent(taskId)
  const known = new Set(waiting.map(({ clientId }) => clientId))
  return (
    <>
      {waiting.map((item) => (
        <MessageBubble key={item.key} message={item} turn={item.turn}>
          <Withdraw taskId={taskId} messageId={item.messageId} />
        </MessageBubble>
      ))}
      {unsent
        .filter(({ clientId, kind }) => kind === 'message' && !known.has(clientId))
        .map((item) => (
          <UnsentMessage key={item.clientId} taskId={taskId} item={item} />
        ))}
    </>
  )
}

function Withdraw({ taskId, messageId }: { taskId: string; messageId: string }) {
  const { api } = useClient()
  const withdraw = useMutation({ mutationFn: () => api.withdrawMessage(taskId, messageId) })
  return (
    <>
      <Button look="quiet" busy={withdraw.isPending || withdraw.isSuccess} onClick={() => withdraw.mutate()}>
        {WORDS.withdraw}
      </Button>
      {withdraw.isError && (
        <span className={isAway(withdraw.error) ? 'soft' : 'bad'} role="alert">
          {messageOf(withdraw.error)}
        </span>
      )}
    </>
  )
}

function UnsentMessage({ taskId, item }: { taskId: string; item: Unsent }) {
  const { outbox, drafts } = useClient()
  if (item.kind !== 'message') return null
  const { clientId, body, state, error } = item
  const message = { messageId: clientId, clientId, text: body.text, mode: null, state: 'waiting' } as const
  const edit = () => {
    drafts.add(`task:${taskId}`, body.text)
    outbox.forget(clientId)
  }
  return (
    <MessageBubble
      message={message}
      turn={0}
      note={state === 'failed' ? `${WORDS.notSent} ${error ?? ''}` : (error ?? (state === 'sent' ? WORDS.sent : WORDS.sending))}
    >
      {state === 'failed' && (
        <>
          <Button look="quiet" onClick={() => outbox.retry(clientId)}>
            {WORDS.retrySend}
          </Button>
          <Button look="quiet" onClick={edit}>
            {WORDS.edit}
          </Button>
        </>
      )}
      {(state === 'failed' || state === 'waiting') && (
        <Button look="quiet" onClick={() => outbox.forget(clientId)}>
          {WORDS.discard}
        </Button>
      )}
    </MessageBubble>
  )
}
