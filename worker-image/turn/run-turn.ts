import { DOOR_PATHS } from '../../contract/wire/names.ts'
import type { Assignment } from '../../contract/wire/sandbox.ts'
import { type LoopResult, runLoop } from '../agents/own/agent-loop.ts'
import { createBudget } from '../agents/own/budget.ts'
import { createGates } from '../agents/own/gates.ts'
import { createInbox } from '../agents/own/inbox.ts'
import { createKeepOutput } from '../agents/own/outputs.ts'
import { readRepositoryNotes } from '../agents/own/repository-notes.ts'
import { keepJournal } from '../conversation/journal.ts'
import { type Earlier, openConversation, readEarlier } from '../conversation/open-conversation.ts'
import type { Door } from '../door/door.ts'
import type { Voice } from '../door/voice.ts'
import { TIMING, type Timing } from '../model/ask-model.ts'
import { createModelClient } from '../model/model-client.ts'
import { type Clock, startClock } from '../process/clock.ts'
import type { Config } from '../process/config.ts'
import { type End, failed } from '../process/end.ts'
import type { Log } from '../process/log.ts'
import { toolEnvironment } from '../tools/environment.ts'
import { createTools } from '../tools/index.ts'
import { headCommit } from '../workspace/changes.ts'
import { deliver } from '../workspace/deliver-work.ts'
import { createGit, type Git, OUTSIDE } from '../workspace/git.ts'
import { openWorkspace, type Workspace } from '../workspace/workspace.ts'
import { commitMessage, finalEnd } from './verdict.ts'

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
  const access = { authorization: `Bearer ${config.token}`, path: config.inherited.PATH ?? '/usr/bin:/bin', run: config.run }
  const git = createGit({ directory: config.workspace, ...access })
  const remote = `${config.doorUrl}${DOOR_PATHS.git}`
  const end = (how: End, more: { summary?: string; diff?: Awaited<ReturnType<typeof deliver>>['diff'] } = {}) =>
    voice.say({ type: 'turn.ended', data: { turn, ...how, summary: more.summary ?? '', diff: more.diff ?? null } })
  try {
    const earlier = await readEarlier(door, assignment, log)
    const opened = await openWorkspace(git, {
      directory: config.workspace,
      remote,
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
    if (!opened.ok) return end(opened.end)
    const { end: how, summary } = await work(options, git, opened.workspace, earlier, clock)
    const delivery = await deliver({
      git,
      outside: createGit({ directory: OUTSIDE, ...access }),
      remote,
      door,
      workspace: opened.workspace,
      message: commitMessage(summary, assignment.prompt, how),
      scratch: config.scratch,
      timeoutMs: options.signal.aborted ? STOPPED_PUSH_MS : PUSH_MS,
      signal: options.signal,
      log,
    })
    await keepJournal({ door, scratch: config.scratch, end: how, tip: delivery.tip, log })
    end(finalEnd(how, delivery), { summary, diff: delivery.diff })
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
