import type { Surroundings } from '../context.ts'
import type { Look } from './layout.ts'

export type Screen = {
  look: () => Look
  /** Lines that stay. An empty line after an empty one is left out. */
  print: (lines: readonly string[]) => void
  /** Takes the moving lines away, for good. */
  stop: () => void
}

const REDRAW_MS = 100
const WIDTH = { least: 40, most: 110, withoutTerminal: 100 }

/** @param live the moving lines below everything else; asked for again and again */
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
  /** One write for both, so that the terminal never shows the state between. */
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
