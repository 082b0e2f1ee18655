import type { Surroundings } from '../server/context.ts'
import type { Look } from './layout.ts'

export type Screen = {
  look: () => Look
  /** Prints permanent lines. Repeated empty lines are left out. */
  print: (lines: readonly string[]) => void
  /** Removes the live lines for good. */
  stop: () => void
}

const REDRAW_MS = 100
const WIDTH = { least: 40, most: 110, withoutTerminal: 100 }

/** @param live gives the live lines below everything else; called again and again */
export function createScreen(
  { stdout, environment }: Pick<Surroundings, 'stdout' | 'environment'>,
  live: (look: Look, rows: number) => string[],
): Screen {
  const terminal = stdout.isTTY === true && environment.TERM !== 'dumb'
  const colour = terminal && !environment.NO_COLOR
  let drawn = 0
  let empty = true

  const look = (): Look => ({
    width: terminal
      ? Math.min(WIDTH.most, Math.max(WIDTH.least, (stdout.columns ?? WIDTH.withoutTerminal) - 1))
      : WIDTH.withoutTerminal,
    colour,
  })
  /** Writes both at once, so that the terminal never shows a state in between. */
  const draw = (lines: readonly string[], moving: readonly string[]) => {
    const up = '\x1b[1A\x1b[2K'.repeat(drawn)
    stdout.write(up + [...lines, ...moving].map((line) => `${line}\n`).join(''))
    drawn = moving.length
  }
  const moving = () => (terminal ? live(look(), Math.max(3, Math.min(12, (stdout.rows ?? 24) - 4))) : [])
  const timer = terminal ? setInterval(() => draw([], moving()), REDRAW_MS) : undefined

  return {
    look,
    print: (lines) => {
      const kept = lines.filter((line) => {
        const again = empty && line === ''
        empty = line === ''
        return !again
      })
      draw(kept, moving())
    },
    stop: () => {
      clearInterval(timer)
      if (drawn > 0) draw([], [])
    },
  }
}
