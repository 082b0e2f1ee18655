import { failed } from '../../../contract/wire/end.ts'
import { DOOR_PATHS } from '../../../contract/wire/names.ts'
import { type Earlier, openConversation } from '../../conversation/conversation.ts'
import type { Journal } from '../../conversation/journal.ts'
import type { Door, LeaseState } from '../../door/door.ts'
import { gitOf, type Hands } from '../../hands/hands.ts'
import type { ModelTiming } from '../../model/ask-model.ts'
import { createModelClient } from '../../model/model-client.ts'
import { createModelWaiting } from '../../model/model-waits.ts'
import type { Config } from '../../process/config.ts'
import type { Log } from '../../process/log.ts'
import { createTools, type Tools } from '../../tools/index.ts'
import { describeBranch } from '../../workspace/branch-state.ts'
import type { AgentDriver } from '../agent-driver.ts'
import { type LoopOptions, runLoop } from './agent-loop.ts'
import { createBudget } from './budget.ts'
import { createGates } from './gates.ts'
import { toolsOf } from './hand-tools.ts'
import { createInbox } from './inbox.ts'
import { createStoreOutput } from './outputs.ts'
import { createRepairs } from './repairs.ts'
import { createTouched } from './touched.ts'

type Parts = {
  config: Config
  door: Door
  /** The door's address. */
  doorUrl: string
  hands: Hands
  log: Log
  /** The conversation of earlier turns. */
  earlier: Earlier
  journal: Journal
  checkpoints: LoopOptions['checkpoints']
  /** @returns the used share of the time, 0 to 1 */
  timeUsed: () => number
  /** Waits while the coordinator is away; the time limit pauses. */
  awaitLease: () => Promise<LeaseState>
  timing: ModelTiming
}

/** Errand's own agent: a loop around the model API. */
export function createOwnAgent(parts: Parts): AgentDriver {
  const { config, hands, log } = parts
  return {
    run: async (...turn) => {
      const tools = toolsOf(hands, createTools({ directory: config.workspace, scratch: '', environment: {}, run: '' }))
      try {
        return await runLoop(await openLoop(parts, tools, turn))
      } catch (error) {
        log('agent.failed', { stack: error instanceof Error ? error.stack : String(error) })
        return {
          end: failed(
            /ENOSPC|No space left/.test(String(error)) ? 'out_of_disk' : 'sandbox_crashed',
            `The agent failed: ${String(error)}`,
          ),
          summary: '',
        }
      } finally {
        log('processes.ended', { count: await tools.stop().catch(String) })
      }
    },
  }
}

async function openLoop(
  { config, door, doorUrl, hands, log, earlier, journal, checkpoints, timeUsed, awaitLease, timing }: Parts,
  tools: Tools,
  [assignment, workspace, voice, signal]: Parameters<AgentDriver['run']>,
): Promise<LoopOptions> {
  const { workspace: directory, home, token } = config
  const touched = createTouched()
  const notes = await hands.call('repositoryNotes', {})
  const { definitions } = tools
  const conversation = await openConversation({
    assignment,
    earlier,
    workspace,
    directory,
    home,
    notes,
    tools: definitions,
    journal,
    log,
  })
  const branchState = () => describeBranch(gitOf(hands), workspace.base)
  return {
    client: createModelClient({ url: `${doorUrl}${DOOR_PATHS.model}`, token }),
    conversation,
    tools,
    touched,
    gates: createGates({ hands, workspace, prompt: assignment.prompt, touched, todos: tools.todos }),
    budget: createBudget(assignment.model, assignment.budgetUsd),
    voice,
    model: assignment.model,
    branchState,
    repairs: createRepairs({ conversation, voice, log, branchState, plan: tools.todos }),
    inbox: createInbox({ door, log, isKnown: conversation.has }),
    storeOutput: createStoreOutput({ door, hands, secrets: [token], log }),
    signal,
    checkpoints,
    readMoney: door.money,
    timeUsed,
    awaitLease,
    waiting: createModelWaiting(voice, { parkAfterMs: timing.parkAfterMs, firstMs: assignment.firstModelWaitMs }),
    timing,
    log,
  }
}
