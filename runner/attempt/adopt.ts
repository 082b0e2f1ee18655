import type { Logger } from 'pino'
import { NewEvent } from '../../contract/api/event.ts'
import type { Publisher } from '../river/publisher.ts'
import { recoverSpools, type Spool } from '../river/spool.ts'
import { EngineFault, type SandboxEngine } from '../sandbox/sandbox.ts'
import type { AttemptEnd } from './attempt-end.ts'
import { type Nesting, nesting } from './nesting.ts'

/** What an earlier process of this runner left when it was killed: its containers are removed, its unsent events are sent. */
export type Adopted = {
  /** Settles when every spool is delivered, or abandoned by {@link Adopted.abandon}; never rejects. */
  delivered: Promise<void>
  /** Leaves what is not delivered yet to the next start. */
  abandon: () => void
}

type Options = { engine: SandboxEngine; publisher: Publisher; spoolDirectory: string; log: Logger }

/** Returns when the containers are gone and everything that the attempts still owe is on its way. */
export async function adoptLeftovers({ engine, publisher, spoolDirectory, log }: Options): Promise<Adopted> {
  await removeContainers(engine, log)
  const spools = await recoverSpools(spoolDirectory)
  const finishing = spools.map((spool) => finishSpool(spool, publisher, log))
  const started = await Promise.all(finishing)
  return {
    delivered: Promise.all(started.map((one) => one.delivered)).then(() => undefined),
    abandon: () => {
      for (const { abandon } of started) abandon()
    },
  }
}

async function removeContainers(engine: SandboxEngine, log: Logger): Promise<void> {
  try {
    const removed = await engine.removeLeftovers(() => false)
    if (removed > 0) log.info({ event: 'leftovers.removed', containers: removed })
  } catch (error) {
    // Without an engine nothing of ours runs; each attempt will say so until it is back.
    if (!(error instanceof EngineFault)) throw error
    log.error({ event: 'engine.fault', reason: error.reason, err: error })
  }
}

/** Closes what the attempt left open and says that it was interrupted, unless its end was written before the process died. */
async function finishSpool(spool: Spool, publisher: Publisher, log: Logger): Promise<Adopted> {
  const { taskId, attempt } = spool.header
  const { tree, turnEnd } = await replay(spool)
  const ignore = () => undefined
  const onSpoolFault = (error: unknown) => log.error({ event: 'spool.failed', taskId, attempt, err: error })
  const delivery = publisher.publish(spool, {
    ...{ onCancel: ignore, onRefused: ignore, onMessage: ignore, onWithdraw: ignore },
    onSpoolFault,
  })
  for (const event of tree.close(turnEnd ?? { outcome: 'interrupted', reason: 'runner_stopped', message: null }))
    delivery.say(event)
  const settle = async () => {
    const how = await delivery.finish()
    await (how === 'abandoned' ? spool.close() : spool.remove())
    log.info({ event: 'leftovers.delivered', taskId, attempt, delivery: how })
  }
  const delivered = settle().catch((error) => log.error({ event: 'spool.failed', taskId, attempt, err: error }))
  return { delivered, abandon: delivery.abandon }
}

/** What the attempt had said, as a tree to close; and how its turn ended, which is how the attempt ended when the turn was over. */
async function replay(spool: Spool): Promise<{ tree: Nesting; turnEnd: AttemptEnd | null }> {
  const tree = nesting(spool.header.turn, '')
  let turnEnd: AttemptEnd | null = null
  for (let from = 1; from <= spool.lastN(); ) {
    const entries = await spool.read(from, 1000)
    for (const { body } of entries) {
      // Written by an earlier version, perhaps: the coordinator judges it too, and one spool must not keep a runner from starting.
      const event = NewEvent.safeParse(JSON.parse(body)).data
      if (!event) continue
      tree.admit(event)
      if (event.type === 'turn.ended')
        turnEnd = { outcome: event.data.outcome, reason: event.data.reason, message: event.data.message }
    }
    from += entries.length
  }
  return { tree, turnEnd }
}
