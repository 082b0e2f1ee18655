import { spawnSync } from 'node:child_process'

/** Debian's and Ubuntu's packages. Plain Node: also used before any npm package is there. */

/** @returns {boolean} whether packages can be installed here without asking anybody */
export const canApt = () => hasApt() && prefix() !== null

/** @returns {string} what a person types */
export const aptCommand = (packages) =>
  `sudo apt-get update && sudo apt-get install -y --no-install-recommends ${packages.join(' ')}`

/**
 * Says what it does, then does it.
 * @param {string[]} packages
 * @throws Error with the command to type when it may not, or when it fails
 */
export const aptInstall = (packages) => {
  const before = prefix()
  if (!hasApt() || before === null)
    throw new Error(`Please install: ${packages.join(', ')}. On Debian or Ubuntu: ${aptCommand(packages)}`)
  const install = ['install', '-y', '--no-install-recommends', ...packages]
  console.log(`Installing from this system's packages: ${[...before, 'apt-get', ...install].join(' ')}`)
  // The lists may be old or absent (container images ship without): first as it is, then after an update.
  if (aptGet(before, install) !== 0 && (aptGet(before, ['update']) !== 0 || aptGet(before, install, 'inherit') !== 0))
    throw new Error(`${packages.join(', ')} could not be installed; apt-get's own words are above. Try: ${aptCommand(packages)}`)
}

const hasApt = () => spawnSync('apt-get', ['--version'], { stdio: 'ignore' }).status === 0

/** The words before `apt-get`; null when nothing lets us. */
const prefix = () => {
  if (process.getuid?.() === 0) return []
  return spawnSync('sudo', ['-n', 'true'], { stdio: 'ignore' }).status === 0 ? ['sudo', '-n'] : null
}

const aptGet = (before, args, stdio = 'ignore') => {
  const [command, ...rest] = [...before, 'env', 'DEBIAN_FRONTEND=noninteractive', 'apt-get', '-qq', ...args]
  return spawnSync(command, rest, { stdio: ['ignore', stdio, 'inherit'] }).status
}
