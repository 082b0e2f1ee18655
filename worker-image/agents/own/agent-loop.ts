import { LIMITS } from '../../../contract/api/limits.ts'
import type { SteerMessage } from '../../../contract/wire/sandbox.ts'
import { gateMessage, NOTICES } from '../../conversation/prompt.ts'
import type { Transcript } from '../../conversation/transcript.ts'
import type { LeaseStanding } from '../../door/door.ts'
import type { Voice } from '../../door/voice.ts'
import { runTurn, type Timing } from '../../model/ask-model.ts'
import type { Answer, ToolCall } from '../../model/model-answer.ts'
import type { ModelBlock, ModelClient } from '../../model/model-client.ts'
import { completed, type End, endOf, failed } from '../../process/end.ts'
import type { Log } from '../../process/log.ts'
import type { Tools } from '../../tools/index.ts'
import { bounded } from '../../tools/output.ts'
import { refused, type ToolResult } from '../../tools/tool.ts'
import type { Budget } from './budget.ts'
import type { Gates } from './gates.ts'
import { blocksOf, type Inbox } from './inbox.ts'
import type { KeepOutput } from './outputs.ts'
import { judgeProgress, STUCK_NOTICE, type Step, withoutTimes } from './stuck.ts'

export type LoopOptions = {
  client: ModelClient
  transcript: Transcript
  tools: Tools
  gates: Gates
  budget: Budget
  voice: Voice
  inbox: Inbox
  keepOutput: KeepOutput
  /** Called whenever the conversation has grown. */
  onGrown: () => Promise<void>
  /** Aborted with an End for a reason. */
  signal: AbortSignal
  /** @returns the part of the time that is used, 0 to 1 */
  timeUsed: () => number
  /** Waits for a coordinator that is away. */
  standing: () => Promise<LeaseStanding>
  timing: Timing
  log: Log
  maxSteps?: number
}

/** How it ended, and the model's last words. */
export type LoopResult = { end: End; summary: string }

const MAX_STEPS = 200
/** Times in a row that a model which stopped without being done is told to go on. */
const MAX_CONTINUATIONS = 3
const MAX_GATE_ROUNDS = 3
const WRAP_UP_AT = 0.8

/** Asks the model, runs its tools, and asks again, until it is done or may not go on. What each way to stop means: docs.claude.com, "Stop reasons". */
export async function runLoop(options: LoopOptions): Promise<LoopResult> {
  const { client, transcript, budget, voice, inbox, gates, onGrown, signal, timing, log, maxSteps = MAX_STEPS } = options
  const steps: Step[] = []
  let summary = ''
  let warned = false
  let continuations = 0
  let gateRounds = 0

  const reply = async (blocks: readonly ModelBlock[], asked: number, said: readonly SteerMessage[] = []) => {
    const used = Math.max(budget.usedPart(), options.timeUsed(), asked / maxSteps)
    const notice: ModelBlock[] = used >= WRAP_UP_AT && !warned ? [{ type: 'text', text: NOTICES.wrapUp }] : []
    warned ||= notice.length > 0
    transcript.addUser([...blocks, ...blocksOf(said), ...notice])
    // First kept, then said to be delivered: what is lost between the two is delivered again, and found there.
    await onGrown()
    inbox.took(said)
  }

  for (let asked = 1; ; asked++) {
    const stop = (end: End): LoopResult => ({ end, summary })
    if (asked > maxSteps) return stop(failed('turns_exceeded', `${maxSteps} steps were taken.`))
    const turn = await runTurn({
      client,
      request: () => {
        const maxTokens = budget.maxTokens(transcript.size())
        return maxTokens === null
          ? failed('budget_exceeded', 'The next step would cost more than is left.')
          : transcript.request(maxTokens)
      },
      signal,
      timing,
      onText: voice.delta,
      onDiscard: voice.discard,
      onUsage: budget.charge,
      stripThinking: transcript.stripThinking,
      standing: options.standing,
      log,
    })
    if (!turn.ok) return stop(turn.end)
    const { answer } = turn
    if (answer.text.trim()) {
      summary = answer.text
      voice.say({ type: 'text.written', data: { text: answer.text } })
    }
    if (answer.stopReason === 'refusal')
      return stop(failed('model_refused', answer.stopDetails ?? 'The model gave no explanation.'))
    transcript.addAssistant(answer.content)
    await onGrown()

    if (answer.calls.length > 0) {
      const results = await runCalls(options, answer, steps)
      const verdict = judgeProgress(steps)
      continuations = answer.stopReason === 'max_tokens' ? continuations + 1 : 0
      const end = signal.aborted
        ? endOf(signal)
        : verdict === 'stuck'
          ? failed('stuck', 'The same calls came with the same results again and again.')
          : continuations > MAX_CONTINUATIONS
            ? cutTooOften
            : null
      const nudge: ModelBlock[] = verdict === 'nudge' && !end ? [{ type: 'text', text: STUCK_NOTICE }] : []
      await reply([...results, ...nudge], asked, end ? [] : await inbox.read())
      if (end) return stop(end)
      continue
    }

    const said = whatToSay(answer)
    if ('end' in said) return stop(said.end)
    if (said.text !== null) {
      if (++continuations > MAX_CONTINUATIONS) return stop(answer.stopReason === 'max_tokens' ? cutTooOften : wentSilent)
      // A paused turn goes on by itself when it is sent back as it is.
      if (said.text !== '') await reply([{ type: 'text', text: said.text }], asked)
      continue
    }
    const heard = await inbox.read()
    if (heard.length > 0) {
      continuations = 0
      gateRounds = 0
      await reply([], asked, heard)
      continue
    }
    const problems = gateRounds < MAX_GATE_ROUNDS ? await gates(gateRounds) : []
    if (problems.length === 0) return stop(completed('done'))
    gateRounds += 1
    continuations = 0
    await reply([{ type: 'text', text: gateMessage(problems) }], asked)
  }
}

const cutTooOften = failed('stuck', 'The output was cut at its limit several times in a row.')
const wentSilent = failed('stuck', 'The model stopped several times in a row without a word or a call.')

/** @returns how an answer without calls goes on: an end, words to say (empty: nothing is to be said), or null when the model is done */
function whatToSay(answer: Answer): { end: End } | { text: string | null } {
  switch (answer.stopReason) {
    case 'end_turn':
    case 'stop_sequence':
      return { text: answer.text.trim() ? null : NOTICES.emptyAnswer }
    case 'tool_use':
      return { text: NOTICES.noCall }
    case 'max_tokens':
      return { text: NOTICES.cutText }
    case 'pause_turn':
      return { text: '' }
    case 'model_context_window_exceeded':
      return { end: failed('context_exceeded', 'The model stopped because the conversation fills its window.') }
    default:
      return { end: failed('protocol_error', `The model stopped for a reason that is not known here: ${answer.stopReason}.`) }
  }
}

/** One after the other, as the model wrote them: a later one may build on an earlier one. @returns a result for each */
async function runCalls(options: LoopOptions, answer: Answer, steps: Step[]): Promise<ModelBlock[]> {
  const results: ModelBlock[] = []
  for (const call of answer.calls) {
    const result = await runCall(options, call, answer)
    const ok = result.ok && (result.exitCode ?? 0) === 0
    steps.push({ call: `${call.name} ${JSON.stringify(call.input)}`, result: withoutTimes(result.text), ok })
    results.push({
      type: 'tool_result',
      tool_use_id: call.id,
      content: [{ type: 'text', text: result.text }, ...(result.image ? [result.image] : [])],
      ...(result.ok ? {} : { is_error: true }),
    })
  }
  return results
}

async function runCall(options: LoopOptions, call: ToolCall, answer: Answer): Promise<ToolResult> {
  const { tools, voice, keepOutput } = options
  const { id: callId, name } = call
  const started = performance.now()
  voice.say({ type: 'tool.started', data: { callId, name, title: tools.title(name, call.input), input: call.input } })
  const result = await resultOf(options, call, answer)
  await keepOutput(callId, result)
  voice.say({
    type: 'tool.ended',
    data: {
      callId,
      name,
      ok: result.ok,
      output: bounded(result.text, LIMITS.toolOutputChars),
      outputBytes: result.outputBytes ?? Buffer.byteLength(result.text),
      exitCode: result.exitCode ?? null,
      durationMs: Math.round(performance.now() - started),
    },
  })
  return result
}

async function resultOf({ tools, signal }: LoopOptions, call: ToolCall, answer: Answer): Promise<ToolResult> {
  if (signal.aborted) return refused('The call was not run: the task was stopped.')
  if (call.problem === null) return tools.run(call.name, call.input, signal)
  const cut = answer.stopReason === 'max_tokens'
  return refused(cut ? NOTICES.cutCall(answer.usage.output_tokens ?? 0) : NOTICES.badCall(call.problem))
}
