import { LIMITS } from '../../../contract/api/limits.ts'
import { NOTICES } from '../../conversation/prompt.ts'
import type { Voice } from '../../door/voice.ts'
import type { Answer, ToolCall } from '../../model/model-answer.ts'
import type { ModelBlock } from '../../model/model-client.ts'
import type { Log } from '../../process/log.ts'
import type { Tools } from '../../tools/index.ts'
import { bounded } from '../../tools/output.ts'
import { cutOff, refused, type ToolResult } from '../../tools/tool.ts'
import { boundResults, type Shown } from './bound-results.ts'
import type { StoreOutput } from './outputs.ts'
import { type CallRecord, hasWaited, withoutTimes } from './stuck.ts'
import type { Touched } from './touched.ts'

export type CallParts = {
  tools: Tools
  voice: Voice
  storeOutput: StoreOutput
  touched: Touched
  /** Aborted with an End for a reason. */
  signal: AbortSignal
  log: Log
}

/**
 * Runs the calls of an answer one after another, in the model's order: a later one may depend on an earlier one.
 * @returns a result for each, for the model and for the check of its progress
 */
export async function runCalls(parts: CallParts, answer: Answer): Promise<{ results: ModelBlock[]; records: CallRecord[] }> {
  const results: ToolResult[] = []
  const records: CallRecord[] = []
  for (const call of answer.calls) {
    const started = performance.now()
    const result = await runCall(parts, call, answer)
    const spelled = `${call.name} ${JSON.stringify(call.input)}`
    const waited = hasWaited(spelled, performance.now() - started)
    parts.touched.note(call, result.ok)
    const ok = result.ok && (result.exitCode ?? 0) === 0
    records.push({ call: spelled, result: withoutTimes(result.text), ok, waited })
    results.push(result)
  }
  const shown = boundResults(results)
  return { results: answer.calls.flatMap((call, index) => blockOf(call, results[index], shown[index])), records }
}

function blockOf({ id }: ToolCall, result: ToolResult | undefined, shown: Shown | undefined): ModelBlock[] {
  if (!result || !shown) return []
  const content = [{ type: 'text' as const, text: shown.text }, ...(shown.image ? [shown.image] : [])]
  return [{ type: 'tool_result', tool_use_id: id, content, ...(result.ok ? {} : { is_error: true }) }]
}

async function runCall(parts: CallParts, call: ToolCall, answer: Answer): Promise<ToolResult> {
  const { tools, voice, storeOutput } = parts
  const { id: callId, name } = call
  const started = performance.now()
  voice.emit({ type: 'tool.started', data: { callId, name, title: tools.title(name, call.input), input: call.input } })
  const result = await resultOf(parts, call, answer)
  const output = result.output ?? result.text
  await storeOutput(callId, result)
  voice.emit({
    type: 'tool.ended',
    data: {
      callId,
      name,
      ok: result.ok,
      output: bounded(output, LIMITS.toolOutputChars),
      outputBytes: result.outputBytes ?? Buffer.byteLength(output),
      exitCode: result.exitCode ?? null,
      durationMs: Math.round(performance.now() - started),
      cutOff: result.cutOff ?? false,
      ...(result.note === undefined ? {} : { note: result.note }),
    },
  })
  return result
}

async function resultOf({ tools, voice, signal }: CallParts, call: ToolCall, answer: Answer): Promise<ToolResult> {
  if (signal.aborted) return cutOff('The call was not run: the turn is over.')
  if (call.problem === null) return tools.run(call.name, call.input, signal, (text) => voice.output(call.id, text))
  return refused(isCutOff(answer) ? NOTICES.cutCall(answer.usage.output_tokens ?? 0) : NOTICES.badCall(call.problem))
}

/** The stop reason of an answer that reached the end of the model's window. */
export const WINDOW_FULL = 'model_context_window_exceeded'

/** @returns whether the answer ended at a limit, perhaps in the middle of a word or a call */
export function isCutOff({ stopReason }: Answer): boolean {
  return stopReason === 'max_tokens' || stopReason === WINDOW_FULL
}
