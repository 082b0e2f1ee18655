import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'

/** What a long step shows while it works. Plain Node: also used before any npm package is there. */

const EVERY_MS = 5_000
/** Of a program's own words, what is kept for the case that it fails. */
const KEPT_LINES = 200

/**
 * Says every few seconds how long the step has taken.
 * @param {() => string} detail what it is at
 * @returns {() => void} ends that
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
 * Runs a program in silence and shows that it lives.
 * @param {(line: string) => string | null} detail what a line of its output says about what it is at; null: nothing
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
