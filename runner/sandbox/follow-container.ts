import type { Readable } from 'node:stream'
import { setTimeout as pause } from 'node:timers/promises'
import type { Logger } from 'pino'
import { SAVE_MS } from '../../contract/wire/deadlines.ts'
import { createFrameReader, createOutput, type SandboxOutput } from './output.ts'
import { EngineFault, type Sandbox } from './sandbox.ts'

/** One container as its engine shows it. Every call returns in bounded time, or throws EngineFault. */
export type Container = {
  /** Null: it is gone. */
  look: () => Promise<ContainerState | null>
  /** Its output from the first byte to the end. The stream fails if the connection is cut. */
  readLog: () => Promise<Readable>
  /** Returns when it has ended or is gone. */
  stop: (graceMs: number) => Promise<void>
  remove: () => Promise<void>
}

export type ContainerState = { running: boolean; exitCode: number; outOfMemory: boolean }

type FollowTimes = {
  /** How long an engine may be away: longer than it takes to restart or upgrade it. */
  awayMs: number
  /** The pause before asking a silent engine again. */
  againMs: number
  /** After this long without output, ask the engine whether the container runs: the connection may be dead without either end knowing. */
  quietMs: number
}
const TIMES: FollowTimes = { awayMs: 5 * 60_000, againMs: 500, quietMs: 15_000 }

type Options = {
  /** How long after its grace the engine may take to report that a stopped sandbox has ended. */
  overdueMs: number
  log: Logger
  times?: Partial<FollowTimes>
}

/**
 * Turns a container into a sandbox that survives a lost connection to its engine: it reads missed output from the engine's log, and asks how
 * the container ended until it gets an answer. Every wait in here is bounded.
 * @param attached brings the output from its first byte; its end proves nothing, because a cut looks the same. Null: read the log
 */
export function followContainer(container: Container, attached: Readable | null, options: Options): Omit<Sandbox, 'startHands'> {
  const over = new AbortController()
  const output = createOutput()
  const following = { ...options, container, output, over: over.signal, times: { ...TIMES, ...options.times } }
  let overdue: NodeJS.Timeout | undefined
  let stopping = new AbortController()
  const letGo = () => {
    clearTimeout(overdue)
    over.abort(
      new EngineFault(
        'engine_unavailable',
        'The Docker engine does not answer, so it is not known whether the sandbox has ended.',
      ),
    )
  }
  const givenUp = new Promise<never>((_, reject) => over.signal.addEventListener('abort', () => reject(over.signal.reason)))
  const ended = Promise.race([readToEnd(following, attached), givenUp]).finally(() => {
    clearTimeout(overdue)
    output.end()
  })
  // The rejection is for callers of `wait`, and there may be none.
  ended.catch(() => undefined)
  return {
    lines: output.lines,
    wait: async () => {
      const { exitCode, outOfMemory } = await ended
      return { exitCode, outOfMemory, errorTail: output.errorTail() }
    },
    stop: (graceMs) => {
      clearTimeout(overdue)
      overdue = setTimeout(letGo, graceMs + options.overdueMs)
      stopping.abort()
      stopping = new AbortController()
      return stopPatiently(following, graceMs, stopping.signal)
    },
    letGo,
    // Nothing that the engine sends after this belongs to the attempt.
    remove: () => container.remove().finally(letGo),
  }
}

type Following = Omit<Options, 'times'> & {
  container: Container
  output: SandboxOutput
  /** Aborts when nothing waits for the sandbox any longer. */
  over: AbortSignal
  times: FollowTimes
}

/** An end counts only once a log that was requested after it has been read completely. */
async function readToEnd(following: Following, attached: Readable | null): Promise<ContainerState> {
  const { container, log, over, times } = following
  if (attached) await read(following, attached, 'container')
  let endedAt: number | null = null
  for (;;) {
    const { state, source } = await patiently(following, async () => {
      const state = await container.look()
      return { state, source: state && (await container.readLog()) }
    })
    if (!state || !source) throw new EngineFault('engine_unavailable', 'Something outside Errand removed the sandbox.')
    if (state.running) log.info({ event: 'sandbox.followed_again' })
    else endedAt ??= performance.now()
    const behind = await read(following, source, 'log').catch(async (fault) => {
      // Its output is lost from here on, but the agent can still save its work.
      if (state.running && !over.aborted) await container.stop(SAVE_MS).catch(() => undefined)
      throw fault
    })
    if (behind === 0 && !state.running) return state
    if (behind && !state.running)
      throw new EngineFault(
        'engine_unavailable',
        "The Docker engine did not keep all of the sandbox's output: its end is missing.",
      )
    if (endedAt !== null && performance.now() - endedAt >= times.awayMs)
      throw new EngineFault('engine_unavailable', "The Docker engine does not send the rest of the sandbox's output.")
    await rest(times.againMs, over)
  }
}

/**
 * Reads one source from its first byte to its end.
 * @returns how many of the bytes known before it did not bring; null when the connection was cut
 * @throws EngineFault when its bytes are of no use
 */
async function read(following: Following, source: Readable, from: 'container' | 'log'): Promise<number | null> {
  const { output, over, log } = following
  const drop = () => source.destroy()
  const silence = watchSilence(following, drop)
  over.addEventListener('abort', drop)
  try {
    over.throwIfAborted()
    const unframe = createFrameReader(from)
    const reading = output.openReading()
    if (from === 'log') output.checkLog()
    for await (const piece of source) {
      silence.broken()
      await reading.take(unframe(piece))
      if (from === 'log') output.checkLog()
    }
    return reading.behind()
  } catch (error) {
    if (error instanceof EngineFault) throw error
    log.warn({ event: 'sandbox.output_cut', err: error })
    return null
  } finally {
    silence.stop()
    over.removeEventListener('abort', drop)
    drop()
  }
}

/** Calls `drop` when there was no output for a while and the engine does not confirm that the container runs. */
function watchSilence({ container, times }: Following, drop: () => void) {
  let spoke = false
  let timer: NodeJS.Timeout | undefined
  const isRunning = () =>
    container.look().then(
      (state) => state?.running === true,
      () => false,
    )
  const arm = () => {
    timer = setTimeout(async () => {
      if (!spoke && !(await isRunning())) return drop()
      spoke = false
      if (timer) arm()
    }, times.quietMs)
  }
  arm()
  return {
    broken: () => {
      spoke = true
    },
    stop: () => {
      clearTimeout(timer)
      timer = undefined
    },
  }
}

async function patiently<T>({ over, times, log }: Following, call: () => Promise<T>): Promise<T> {
  const since = performance.now()
  let away = false
  for (;;) {
    over.throwIfAborted()
    try {
      const answer = await call()
      if (away) log.info({ event: 'engine.back' })
      return answer
    } catch (error) {
      if (performance.now() - since >= times.awayMs) throw error
      if (!away) log.warn({ event: 'engine.away', err: error })
      away = true
    }
    await rest(times.againMs, over)
  }
}

/** Repeats a stop that the engine did not hear, until the sandbox is overdue or the next stop replaces this one. */
async function stopPatiently({ container, over, times }: Following, graceMs: number, replaced: AbortSignal): Promise<void> {
  const signal = AbortSignal.any([over, replaced])
  for (;;) {
    try {
      return await container.stop(graceMs)
    } catch (error) {
      await rest(times.againMs, signal)
      if (replaced.aborted) return
      if (over.aborted) throw error
    }
  }
}

function rest(ms: number, signal: AbortSignal): Promise<void> {
  return pause(ms, undefined, { signal }).catch(() => undefined)
}
