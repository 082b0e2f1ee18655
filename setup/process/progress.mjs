import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'

/** The progress of a long step. Plain Node: it also runs before any npm package is installed. */

const EVERY_MS = 5_000
/** How many lines of a program's output are kept, to show if it fails. */
const KEPT_LINES = 200

/**
 * Prints every few seconds how long the step has taken.
 * @param {() => string} detail what the step is doing
 * @returns {() => void} stops the printing
 */
export function showThatItLives(detail = () => '', everyMs = EVERY_MS) {
  const since = performance.now()
  const timer = setInterval(() => {
    const at = detail().slice(0, 100)
    console.log(`  … ${Math.round((performance.now() - since) / 1000)} s${at && `: ${at}`}`)
  }, everyMs)
  return () => clearInterval(timer)
}

/**
 * Runs a program, hides its output and shows its progress.
 * @param {(line: string) => string | null} detail extracts progress from a line of output; null: none
 * @returns {Promise<{status: number | null, lines: string[], stdout: string[]}>} the last lines of its output
 */
export async function runShown(file, args, { detail = () => null, everyMs = EVERY_MS, ...options } = {}) {
  let at = ''
  const quiet = showThatItLives(() => at, everyMs)
  const lines = []
  const stdout = []
  const child = spawn(file, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] })
  for (const stream of [child.stdout, child.stderr])
    createInterface({ input: stream }).on('line', (line) => {
      at = detail(line) ?? at
      for (const kept of stream === child.stdout ? [lines, stdout] : [lines]) if (kept.push(line) > KEPT_LINES) kept.shift()
    })
  const status = await new Promise((resolve) => {
    child.once('error', (error) => {
      lines.push(error.message)
      resolve(null)
    })
    child.once('close', resolve)
  })
  quiet()
  return { status, lines, stdout }
}
