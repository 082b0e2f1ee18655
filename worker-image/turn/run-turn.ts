import { DOOR_PATHS } from '../../contract/wire/names.ts'
import type { Assignment } from '../../contract/wire/sandbox.ts'
import { type LoopResult, runLoop } from '../agents/own/agent-loop.ts'
import { createBudget } from '../agents/own/budget.ts'
import { createGates } from '../agents/own/gates.ts'
import { createInbox } from '../agents/own/inbox.ts'
import { createKeepOutput } from '../agents/own/outputs.ts'
import { readRepositoryNotes } from '../agents/own/repository-notes.ts'
import { type Earlier, openConversation, readEarlier } from '../conversation/open-conversation.ts'
import type { Door } from '../door/door.ts'
import type { Voice } from '../door/voice.ts'
import { TIMING, type Timing } from '../model/ask-model.ts'
import { createModelClient } from '../model/model-client.ts'
import { type Clock, startClock } from '../process/clock.ts'
import type { Config } from '../process/config.ts'
import { failed } from '../process/end.ts'
import type { Log } from '../process/log.ts'
import { toolEnvironment } from '../tools/environment.ts'
import { createTools } from '../tools/index.ts'
import { headCommit } from '../workspace/changes.ts'
import { type Git, gitIn, remoteOf } from '../workspace/git.ts'
import { openWorkspace, type Workspace } from '../workspace/workspace.ts'
import { finishTurn } from './finish-turn.ts'

export type RunOptions = {
  config: Config
  assignment: Assignment
  door: Door
  voice: Voice
  log: Log
  /** Aborted with an End when a person cancels. */
  signal: AbortSignal
  timing?: Timing
}

/** For the pushes of a turn that ran to its end, and of one that is being stopped. */
const PUSH_MS = 45_000
const STOPPED_PUSH_MS = 6_000

/**
 * One turn from the clone to the push. However the work ends, by budget, time, a fault or a person, what was done is delivered, and the
 * end is said.
 */
export async function run(options: RunOptions): Promise<void> {
  const { config, assignment, door, voice, log } = options
  const { turn, model, branch } = assignment
  const clock = startClock(assignment.timeLimitMs, options.signal)
  const git = gitIn(config.workspace, config)
  const finish = ({ end, summary }: LoopResult, workspace: Workspace | null) => {
    const pushMs = options.signal.aborted ? STOPPED_PUSH_MS : PUSH_MS
    return finishTurn({ config, assignment, door, voice, log, end, summary, workspace, pushMs, signal: options.signal })
  }
  try {
    const earlier = await readEarlier(door, assignment, log)
    const opened = await openWorkspace(git, {
      directory: config.workspace,
      remote: remoteOf(config),
      baseBranch: assignment.baseBranch,
      branch,
      turnBase: earlier.kept?.turn === turn ? earlier.kept.turnBase : null,
      signal: clock.signal,
    })
    if (opened.ok) {
      const { workspace } = opened
      const commit = (await headCommit(git)) ?? ''
      voice.say({ type: 'repo.cloned', data: { baseBranch: workspace.baseBranch, commit, branch, resumed: workspace.resumed } })
    }
    voice.say({ type: 'turn.started', data: { turn, model } })
    if (!opened.ok) return await finish({ end: opened.end, summary: '' }, null)
    await finish(await work(options, git, opened.workspace, earlier, clock), opened.workspace)
  } finally {
    clock.stop()
  }
}

/** The model's part. @returns its end; a fault of ours is one too, so that the work is still delivered */
async function work(options: RunOptions, git: Git, workspace: Workspace, earlier: Earlier, clock: Clock): Promise<LoopResult> {
  const { config, assignment, door, voice, log, timing = TIMING } = options
  const { workspace: directory, scratch, token } = config
  const tools = createTools({ directory, scratch, environment: toolEnvironment(config), run: config.run })
  try {
    const notes = await readRepositoryNotes(config.workspace)
    const opened = { assignment, earlier, workspace, directory, scratch, notes, tools: tools.definitions, log }
    const { transcript, taken, journal } = openConversation(opened)
    await journal.save()
    return await runLoop({
      client: createModelClient({ url: `${config.doorUrl}${DOOR_PATHS.model}`, token: config.token }),
      transcript,
      tools,
      gates: createGates({ git, base: workspace.base, todos: tools.todos }),
      budget: createBudget(assignment.model, assignment.budgetUsd),
      voice,
      inbox: createInbox({ door, voice, log, turn: assignment.turn, taken }),
      keepOutput: createKeepOutput({ door, secrets: [token], log }),
      onGrown: journal.save,
      signal: clock.signal,
      timeUsed: clock.used,
      standing: () => clock.standStill(() => door.standing(options.signal)),
      timing,
      log,
    })
  } catch (error) {
    log('agent.failed', { stack: error instanceof Error ? error.stack : String(error) })
    return { end: failed('sandbox_crashed', `The agent failed: ${String(error)}`), summary: '' }
  } finally {
    log('processes.ended', { count: await tools.stop() })
  }
}
