import type { AgentLine } from '../../../contract/wire/sandbox.ts'
import { EngineFault, type SandboxEnd, type SandboxEngine, type SandboxSpec } from '../../../runner/sandbox/sandbox.ts'

/** What a sandbox does, in order. */
export type Step =
  | { print: AgentLine | string | null }
  /** Goes on when it is asked to stop; everything after it is how it wraps up. */
  | { untilStopped: true }
  /** Goes on only when it is killed. */
  | { untilKilled: true }
  | { end: Partial<SandboxEnd> }
  | { engineLost: true }

export type ScriptedEngine = SandboxEngine & {
  started: SandboxSpec[]
  removed: number
  /** What each `stop` was called with, milliseconds. */
  stops: number[]
}

/** An engine whose sandboxes follow the script that `script` gives for each; a fault instead is thrown at the start. */
export function scriptedEngine(script: (spec: SandboxSpec) => Iterable<Step> | EngineFault): ScriptedEngine {
  const engine: ScriptedEngine = {
    started: [],
    removed: 0,
    stops: [],
    check: async () => undefined,
    find: async () => [],
    removeLeftovers: async () => 0,
    start: async (spec) => {
      const steps = script(spec)
      if (steps instanceof EngineFault) throw steps
      engine.started.push(spec)
      const stopped = signal()
      const killed = signal()
      const ended = signal<SandboxEnd>()
      let end = 0
      const lines = (async function* () {
        for (const step of steps) {
          if ('print' in step) {
            const text = typeof step.print === 'object' && step.print ? JSON.stringify(step.print) : step.print
            end += Buffer.byteLength(text ?? '') + 1
            yield { text, end }
          } else if ('untilStopped' in step) await stopped.promise
          else if ('untilKilled' in step) await killed.promise
          else if ('engineLost' in step) return ended.reject(new EngineFault('engine_unavailable', 'the engine is gone'))
          else return ended.resolve({ exitCode: 0, outOfMemory: false, errorTail: '', ...step.end })
        }
        ended.resolve({ exitCode: killed.done() ? 137 : 0, outOfMemory: false, errorTail: '' })
      })()
      return {
        lines,
        wait: () => ended.promise,
        stop: async (graceMs) => {
          engine.stops.push(graceMs)
          stopped.resolve()
          if (graceMs === 0) killed.resolve()
        },
        startHands: async () => undefined,
        letGo: () => {
          ended.reject(new EngineFault('engine_unavailable', 'let go'))
          stopped.resolve()
          killed.resolve()
        },
        remove: async () => {
          engine.removed += 1
        },
      }
    },
  }
  return engine
}

function signal<T = void>() {
  let settled = false
  let resolve: (value: T) => void = () => undefined
  let reject: (error: Error) => void = () => undefined
  const promise = new Promise<T>((yes, no) => {
    resolve = yes
    reject = no
  })
  const done = <A extends unknown[]>(act: (...given: A) => void) => {
    return (...given: A) => {
      settled = true
      act(...given)
    }
  }
  return {
    promise,
    done: () => settled,
    resolve: done((value: T) => resolve(value)),
    reject: done((error: Error) => reject(error)),
  }
}
