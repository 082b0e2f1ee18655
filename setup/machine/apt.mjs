import { spawnSync } from 'node:child_process'
import { runShown } from '../process/progress.mjs'

/** Debian's and Ubuntu's packages. Plain Node: also used before any npm package is there. */

/** @returns {boolean} whether packages can be installed here without asking anybody */
export function canApt() {
  return hasApt() && prefix() !== null
}

export function hasApt() {
  return spawnSync('apt-get', ['--version'], { stdio: 'ignore' }).status === 0
}

/** @returns {'none' | 'asks' | 'free'} whether there is a sudo, and one that asks for no password */
export function hasSudo() {
  const answer = spawnSync('sudo', ['-n', 'true'], { stdio: 'ignore' })
  if (answer.error) return 'none'
  return answer.status === 0 ? 'free' : 'asks'
}

function isRoot() {
  return process.getuid?.() === 0
}

/** @returns {string} what a person types */
export function aptCommand(packages, root = isRoot()) {
  const before = root ? '' : 'sudo '
  return `${before}apt-get update && ${before}apt-get install -y --no-install-recommends ${packages.join(' ')}`
}

/**
 * Says what it does, then does it. Never removes a package that is here.
 * @param {string[]} packages
 * @throws Error with the command to type when it may not, or when it fails
 */
export async function aptInstall(packages) {
  const before = prefix()
  if (!hasApt() || before === null)
    throw new Error(`Please install: ${packages.join(', ')}. On Debian or Ubuntu: ${aptCommand(packages)}`)
  const install = ['install', '-y', '--no-install-recommends', '--no-remove', ...packages]
  console.log(`Installing from this system's packages: ${[...before, 'apt-get', ...install].join(' ')}`)
  // The lists may be old or absent (container images ship without): first as it is, then after an update.
  let answer = await aptGet(before, install)
  if (answer.status !== 0) {
    console.log(`  once more, after ${[...before, 'apt-get', 'update'].join(' ')}`)
    answer = await aptGet(before, ['update'])
    if (answer.status === 0) answer = await aptGet(before, install)
  }
  if (answer.status === 0) return
  const why = answer.lines.slice(-15).join('\n')
  throw new Error(`${packages.join(', ')} could not be installed. apt-get's own words:\n${why}\nTry: ${aptCommand(packages)}`)
}

/** The words before `apt-get`; null when nothing lets us. */
function prefix() {
  if (isRoot()) return []
  return hasSudo() === 'free' ? ['sudo', '-n'] : null
}

function aptGet(before, args) {
  // Another apt-get is waited for: a new machine updates itself.
  const patient = ['-q', '-o', 'DPkg::Lock::Timeout=120']
  const [command, ...rest] = [...before, 'env', 'DEBIAN_FRONTEND=noninteractive', 'apt-get', ...patient, ...args]
  return runShown(command, rest, { detail: (line) => line.replace(/^(Get:\d+|Hit:\d+) \S+ /, '$1 ') })
}
