import type { Readable } from 'node:stream'
import { setTimeout as pause } from 'node:timers/promises'
import type { Logger } from 'pino'
import { SAVE_MS } from '../../contract/wire/deadlines.ts'
import { frameReader } from './engine-output.ts'
import { splitLines } from './lines.ts'
import { EngineFault, type Sandbox } from './sandbox.ts'
import { openOutput, type SandboxOutput } from './sandbox-output.ts'

/** One container as its engine shows it. Every call has a bound, and throws EngineFault. */
export type Container = {
  /** Null: it is not there any more. */
  look: () => Promise<ContainerState | null>
  /** Its output from the first byte on, until it ends. It fails when the connection is cut. */
  readLog: () => Promise<Readable>
  /** Returns when it has ended, or is not there. */
  stop: (graceMs: number) => Promise<void>
  remove: () => Promise<void>
}

export type ContainerState = { running: boolean; exitCode: number; outOfMemory: boolean }

type FollowTimes = {
  /** How long an engine may be away: longer than it takes to restart it, or to install its next version. */
  awayMs: number
  /** How soon an engine that does not answer is asked again. */
  againMs: number
  /** After so long without output the engine is asked how the container is: the connection may be dead, and neither end know it. */
  quietMs: number
}
const TIMES: FollowTimes = { awayMs: 5 * 60_000, againMs: 500, quietMs: 15_000 }

type Options = {
  /** How long after its grace a sandbox that was stopped may take to be seen ended. */
  overdueMs: number
  log: Logger
  times?: Partial<FollowTimes>
}

/**
 * The sandbox in a container, whatever happens to the connection with its engine: output that was missed is read from the engine's log, and
 * how it ended is asked until there is an answer. No wait in here is without a bound.
 * @param attached brings the output from its first byte on; its end proves nothing, since a cut looks the same
 */
export function followContainer(container: Container, attached: Readable, options: Options): Sandbox {
  const over = new AbortController()
  const output = openOutput()
  const following = { ...options, container, output, over: over.signal, times: { ...TIMES, ...options.times } }
  let overdue: NodeJS.Timeout | undefined
  let stopping = new AbortController()
  const letGo = () => {
    clearTimeout(overdue)
    over.abort(new EngineFault('engine_unavailable', 'The Docker engine does not answer: the sandbox is not seen to end.'))
  }
  const givenUp = new Promise<never>((_, reject) => over.signal.addEventListener('abort', () => reject(over.signal.reason)))
  const ended = Promise.race([readToEnd(following, attached), givenUp]).finally(() => {
    clearTimeout(overdue)
    output.end()
  })
  // It is told to whoever waits, and that may be nobody.
  ended.catch(() => undefined)
  return {
    lines: splitLines(output.stdout),
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
    // Whatever the engine did: nothing that it may still say is this attempt's.
    remove: () => container.remove().finally(letGo),
  }
}

type Following = Omit<Options, 'times'> & {
  container: Container
  output: SandboxOutput
  /** Aborts when nobody waits for the sandbox any more. */
  over: AbortSignal
  times: FollowTimes
}

/** Its end counts once a log that was asked for after the end has been read whole. */
async function readToEnd(following: Following, attached: Readable): Promise<ContainerState> {
  const { container, log, over, times } = following
  await read(following, attached, 'container')
  let endedAt: number | null = null
  for (;;) {
    const { state, source } = await patiently(following, async () => {
      const state = await container.look()
      return { state, source: state && (await container.readLog()) }
    })
    if (!state || !source) throw new EngineFault('engine_unavailable', 'The sandbox was removed by somebody else.')
    if (state.running) log.info({ event: 'sandbox.followed_again' })
    else endedAt ??= performance.now()
    const behind = await read(following, source, 'log').catch(async (fault) => {
      // Nothing that it says can be heard any more, but what it did can still be saved.
      if (state.running && !over.aborted) await container.stop(SAVE_MS).catch(() => undefined)
      throw fault
    })
    if (behind === 0 && !state.running) return state
    if (behind && !state.running)
      throw new EngineFault('engine_unavailable', "The end of what the sandbox said is missing in the Docker engine's log.")
    if (endedAt !== null && performance.now() - endedAt >= times.awayMs)
      throw new EngineFault('engine_unavailable', 'The Docker engine does not give the rest of what the sandbox said.')
    await rest(times.againMs, over)
  }
}

/**
 * @returns how many bytes less it brought than were read before; null when the connection was cut
 * @throws EngineFault when what it brings is of no use
 */
async function read(following: Following, source: Readable, from: 'container' | 'log'): Promise<number | null> {
  const { output, over, log } = following
  const drop = () => source.destroy()
  const silence = watchSilence(following, drop)
  over.addEventListener('abort', drop)
  try {
    over.throwIfAborted()
    const unframe = frameReader(from)
    const reading = output.again()
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

/** Calls `drop` when nothing is said for a while and the container does not run, or nobody can tell. */
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

/** A stop that the engine did not hear is said again, until the sandbox is overdue or the next stop is asked for. */
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
