import { SAVE, TIME_UP } from '../../contract/wire/deadlines.ts'
import type { Assignment } from '../../contract/wire/sandbox.ts'
import type { AgentResult } from '../agents/agent-driver.ts'
import { createOwnAgent } from '../agents/own/own-agent.ts'
import type { RestoredCheckpoint } from '../checkpoint/state.ts'
import { type Earlier, readEarlier } from '../conversation/conversation.ts'
import { openJournal } from '../conversation/journal.ts'
import { UNTRUE_NOTE } from '../conversation/prompt.ts'
import type { Door } from '../door/door.ts'
import type { Voice } from '../door/voice.ts'
import { gitOf, type Hands } from '../hands/hands.ts'
import { type ModelTiming, TIMING } from '../model/ask-model.ts'
import { type Clock, startClock } from '../process/clock.ts'
import type { Config } from '../process/config.ts'
import type { Log } from '../process/log.ts'
import { headCommit } from '../workspace/changes.ts'
import type { Opened, Workspace } from '../workspace/workspace.ts'
import { type Checkpoints, notRestoredNote, openCheckpoints, restoreLost } from './checkpoints.ts'
import { finishTurn } from './finish-turn.ts'
import { storeWorkspace } from './stored-workspace.ts'

export type TurnOptions = {
  config: Config
  assignment: Assignment
  door: Door
  /** The door's address. */
  doorUrl: string
  hands: Hands
  voice: Voice
  log: Log
  /** Aborted with an End when a person cancels. */
  signal: AbortSignal
  timing?: ModelTiming
}

/**
 * One turn from the clone to the push. However the work ends, by budget, time, a fault or a person, it is saved and the end is emitted.
 */
export async function runTurn(options: TurnOptions): Promise<void> {
  const { config, assignment, door, doorUrl, hands, voice, log, signal } = options
  const timing = options.timing ?? { ...TIMING, parkAfterMs: assignment.modelWaitMs }
  const clock = startClock(assignment.timeLimitMs, signal)
  const journal = openJournal({ door, log })
  let checkpoints: Checkpoints | null = null
  const closeTail = () => Promise.all([journal.close(), checkpoints?.close()])
  const finish = async (result: AgentResult, workspace: Workspace | null) => {
    // What it still does would be in the way of what saves the work.
    await closeTail()
    const pushMs = signal.aborted ? SAVE.agentPushMs : TIME_UP.pushMs
    return finishTurn({ config, assignment, door, hands, voice, log, ...result, workspace, pushMs, signal })
  }
  try {
    const earlier = await readEarlier(door, assignment, log)
    const opened = await open(options, earlier, clock)
    voice.emit({ type: 'turn.started', data: { turn: assignment.turn, model: assignment.model } })
    if (earlier.untrue) voice.emit({ type: 'note.written', data: { text: UNTRUE_NOTE } })
    if (!opened.ok) return await finish({ end: opened.end, summary: '' }, null)
    const { workspace } = opened
    const restored = await restore(options, earlier, workspace)
    checkpoints = openCheckpoints({ hands, door, voice, workspace, log })
    const awaitLease = () => clock.pauseDuring(() => door.awaitLease(signal))
    const surroundings = { config, door, doorUrl, hands, log, journal, checkpoints }
    const agent = createOwnAgent({ ...surroundings, earlier: { ...earlier, restored }, timeUsed: clock.used, awaitLease, timing })
    await finish(await agent.run(assignment, workspace, voice, clock.signal), workspace)
  } finally {
    await closeTail()
    clock.stop()
  }
}

async function open(
  { config: { home }, assignment, hands, voice }: TurnOptions,
  earlier: Earlier,
  clock: Clock,
): Promise<Opened> {
  const { baseBranch, branch, turn } = assignment
  const turnBase = earlier.stored?.turn === turn ? earlier.stored.turnBase : null
  const opened = await hands.call('openWorkspace', { baseBranch, branch, turnBase }, { signal: clock.signal })
  if (opened.ok) {
    const { workspace } = opened
    await storeWorkspace(home, workspace)
    const commit = (await headCommit(gitOf(hands))) ?? ''
    voice.emit({ type: 'repo.cloned', data: { baseBranch: workspace.baseBranch, commit, branch, resumed: workspace.resumed } })
  }
  return opened
}

/** Only under the conversation that made them do the files of a lost host make sense. */
async function restore(
  { assignment, hands, door, voice, log }: TurnOptions,
  earlier: Earlier,
  workspace: Workspace,
): Promise<RestoredCheckpoint | null> {
  if (!assignment.hasCheckpoint || !earlier.cut || earlier.stored?.turn !== assignment.turn) return null
  const restored = await restoreLost({ hands, door, log }, workspace)
  if (restored && !restored.ok) voice.emit({ type: 'note.written', data: { text: notRestoredNote(restored.why) } })
  return restored
}
