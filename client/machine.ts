/**
 * A state machine: `step` decides what an input does to the state and which effects follow, and does nothing itself. Calls, timers and the
 * clock reach it as inputs and leave it as effects.
 */
export type Step<S, I, E> = (state: S, input: I) => Stepped<S, E>
export type Stepped<S, E> = { state: S; effects: readonly E[] }

export function nothingToDo<S, E>(state: S): Stepped<S, E> {
  return { state, effects: [] }
}

/** Takes several steps and collects all their effects. */
export function chain<S, E>(first: Stepped<S, E>, ...steps: readonly ((state: S) => Stepped<S, E>)[]): Stepped<S, E> {
  return steps.reduce(({ state, effects }, step) => {
    const next = step(state)
    return { state: next.state, effects: [...effects, ...next.effects] }
  }, first)
}

/** `wait` starts or restarts a timer; `stop` ends it. When the timer fires, the machine gets {@link Fired}. */
export type Timing<T extends string> = { type: 'wait'; as: T; ms: number } | { type: 'stop'; as: T }
export type Fired<T extends string> = { type: 'fired'; timer: T }

export type Machine<I> = {
  take: (input: I) => void
  /** Ends every timer; later inputs are ignored. */
  stop: () => void
}

/**
 * Runs a machine with real timers: the only place in `client/` that acts. An input that arrives while effects are carried out waits for
 * them, so that no effect overtakes another.
 * @param show gets the state after every step, before its effects are carried out
 */
export function runMachine<S, I, E extends { type: string }, T extends string>(
  first: S,
  step: Step<S, I | Fired<T>, E | Timing<T>>,
  carryOut: (effect: E) => void,
  show: (state: S) => void = () => {},
): Machine<I> {
  const timers = new Map<T, ReturnType<typeof setTimeout>>()
  const inputs: (I | Fired<T>)[] = []
  let state = first
  let busy = false
  let stopped = false

  const take = (input: I | Fired<T>) => {
    if (stopped) return
    inputs.push(input)
    if (busy) return
    busy = true
    try {
      for (let next = inputs.shift(); next !== undefined && !stopped; next = inputs.shift()) {
        const stepped = step(state, next)
        state = stepped.state
        show(state)
        for (const effect of stepped.effects) if (!stopped) act(effect)
      }
    } finally {
      busy = false
    }
  }
  const act = (effect: E | Timing<T>) => {
    if (!isTiming(effect)) return carryOut(effect)
    const { as } = effect
    clearTimeout(timers.get(as))
    timers.delete(as)
    if (effect.type === 'wait') timers.set(as, setTimeout(fire, effect.ms, as))
  }
  const fire = (timer: T) => {
    timers.delete(timer)
    take({ type: 'fired', timer })
  }

  return {
    take,
    stop: () => {
      stopped = true
      for (const timer of timers.values()) clearTimeout(timer)
      timers.clear()
    },
  }
}

function isTiming<T extends string>(effect: { type: string }): effect is Timing<T> {
  return effect.type === 'wait' || effect.type === 'stop'
}
