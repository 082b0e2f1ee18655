import { type End, failed } from '../../../contract/wire/end.ts'
import type { Money } from '../../../contract/wire/sandbox.ts'
import type { Conversation } from '../../conversation/conversation.ts'
import { NOTICES } from '../../conversation/prompt.ts'
import type { Answer } from '../../model/model-answer.ts'
import type { Budget } from './budget.ts'

/** What the next model call is: a step of the work, or the last message of the turn, after which it ends. */
export type NextCall = { isLast: false } | { isLast: true; end: End }

export type LimitParts = {
  conversation: Pick<Conversation, 'addUser' | 'size' | 'shortenResults'>
  budget: Budget
  /** What the gateway counted; null if it does not say. */
  readMoney: () => Promise<Money | null>
  /** @returns the used share of the time, 0 to 1 */
  timeUsed: () => number
  maxSteps?: number
}

export type Limits = {
  /**
   * Decides what the next call is, and tells the model. It comes before every call of the work.
   * @param steps model calls of the turn so far
   * @returns how the turn ends, if not even a last message fits
   */
  before: (steps: number) => Promise<NextCall | End>
  /** After the last message: its calls are not run. @returns the end; null if a person has raised the budget meanwhile */
  afterLast: (answer: Pick<Answer, 'calls'>, end: End) => Promise<End | null>
  /** The conversation is a fresh one: the model does not know any more that it was told to wrap up. */
  forget: () => void
}

const MAX_STEPS = 200
/** The share of time and steps, and the number of calls that still fit into the budget, at which the model is told to wrap up. */
const WRAP_UP_AT = 0.8
const WRAP_UP_CALLS = 4
/** Fewer tokens are too few for a last message, if results of calls take their place. */
const ENOUGH_TOKENS = 1_500

/** Keeps a turn within its money, time and steps: the model hears of the end while it can still do something, and has the last word. */
export function createLimits(parts: LimitParts): Limits {
  const { conversation, budget, maxSteps = MAX_STEPS } = parts
  let isWarned = false
  const notice = (text: string) => conversation.addUser({ results: [], notices: [text] })
  const readPlan = async () => {
    const money = await parts.readMoney()
    if (money) budget.correct(money)
    return budget.plan(conversation.size())
  }
  return {
    forget: () => {
      isWarned = false
    },
    before: async (steps) => {
      let plan = await readPlan()
      if ((!plan || (plan.isLast && plan.maxTokens < ENOUGH_TOKENS)) && (await conversation.shortenResults()))
        plan = budget.plan(conversation.size())
      if (!plan) return overBudget(budget)
      const isLastStep = steps + 1 >= maxSteps
      if (plan.isLast || isLastStep) {
        await notice(NOTICES.lastWords)
        return { isLast: true, end: plan.isLast ? overBudget(budget) : overSteps(maxSteps) }
      }
      const isLate = plan.callsLeft < WRAP_UP_CALLS || parts.timeUsed() >= WRAP_UP_AT || steps / maxSteps >= WRAP_UP_AT
      if (isLate && !isWarned && steps > 0) {
        isWarned = true
        await notice(NOTICES.wrapUp)
      }
      return { isLast: false }
    },
    afterLast: async ({ calls }, end) => {
      const results = calls.map(({ id }) => ({
        type: 'tool_result' as const,
        tool_use_id: id,
        content: NOTICES.notRun,
        is_error: true,
      }))
      if (results.length > 0) await conversation.addUser({ results })
      if (end.reason !== 'budget_exceeded') return end
      const plan = await readPlan()
      if (!plan || plan.isLast) return { ...end, message: overBudget(budget).message }
      isWarned = false
      await notice(NOTICES.moreMoney)
      return null
    },
  }
}

function overSteps(maxSteps: number): End {
  return failed('steps_exceeded', `The agent took ${maxSteps} steps.`)
}

function overBudget(budget: Budget): End {
  const { spentUsd, limitUsd } = budget.money()
  const share = `$${spentUsd.toFixed(2)} of the $${limitUsd.toFixed(2)} that this turn had`
  return failed('budget_exceeded', `The budget does not allow another step: the agent used ${share}.`)
}
