import { spawnSync } from 'node:child_process'
import { runShown } from '../process/progress.mjs'

/** Debian and Ubuntu packages. Plain Node: it also runs before any npm package is installed. */

/** @returns {boolean} whether this process can install packages without a password */
export function canApt() {
  return hasApt() && prefix() !== null
}

export function hasApt() {
  return spawnSync('apt-get', ['--version'], { stdio: 'ignore' }).status === 0
}

/** @returns {'none' | 'asks' | 'free'} whether sudo exists, and whether it asks for a password */
export function hasSudo() {
  const answer = spawnSync('sudo', ['-n', 'true'], { stdio: 'ignore' })
  if (answer.error) return 'none'
  return answer.status === 0 ? 'free' : 'asks'
}

function isRoot() {
  return process.getuid?.() === 0
}

/** @returns {string} the command for a person to type */
export function aptCommand(packages, root = isRoot()) {
  const before = root ? '' : 'sudo '
  return `${before}apt-get update && ${before}apt-get install -y --no-install-recommends ${packages.join(' ')}`
}

/**
 * Says what it installs, then installs it. Never removes an installed package.
 * @param {string[]} packages
 * @throws Error with the command to type if it has no permission or fails
 */
export async function aptInstall(packages) {
  const before = prefix()
  if (!hasApt() || before === null)
    throw new Error(`Please install: ${packages.join(', ')}. On Debian or Ubuntu: ${aptCommand(packages)}`)
  const install = ['install', '-y', '--no-install-recommends', '--no-remove', ...packages]
  console.log(`Installing from this system's packages: ${[...before, 'apt-get', ...install].join(' ')}`)
  // The package lists may be old or missing (container images ship without them): try first, update if that fails.
  let answer = await aptGet(before, install)
  if (answer.status !== 0) {
    console.log(`  trying again after ${[...before, 'apt-get', 'update'].join(' ')}`)
    answer = await aptGet(before, ['update'])
    if (answer.status === 0) answer = await aptGet(before, install)
  }
  if (answer.status === 0) return
  const why = answer.lines.slice(-15).join('\n')
  throw new Error(`${packages.join(', ')} could not be installed. apt-get says:\n${why}\nTry: ${aptCommand(packages)}`)
}

/** The command prefix for `apt-get`; null without permission. */
function prefix() {
  if (isRoot()) return []
  return hasSudo() === 'free' ? ['sudo', '-n'] : null
}

function aptGet(before, args) {
  // Wait for another apt-get: a new machine updates itself.
  const patient = ['-q', '-o', 'DPkg::Lock::Timeout=120']
  const [command, ...rest] = [...before, 'env', 'DEBIAN_FRONTEND=noninteractive', 'apt-get', ...patient, ...args]
  return runShown(command, rest, { detail: (line) => line.replace(/^(Get:\d+|Hit:\d+) \S+ /, '$1 ') })
}
