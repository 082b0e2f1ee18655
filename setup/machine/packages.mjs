import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { runShown } from '../process/progress.mjs'
import { aptCommand, aptInstall, canApt } from './apt.mjs'

/** What better-sqlite3 needs if its prebuilt binary cannot be downloaded. */
const COMPILER = { commands: ['g++', 'make', 'python3'], packages: ['g++', 'make', 'python3'] }

/**
 * Runs `npm ci` if the installed packages differ from the lockfile. Plain Node: it runs before any package is installed.
 * @param {URL} root the repository
 * @throws Error with the command to type if it fails
 */
export async function installPackages(root) {
  if (isInstalled(root)) return
  console.log('Installing the npm packages (npm ci) …')
  if ((await npmCi(root)) === null) return
  const missing = COMPILER.commands.filter((command) => !responds(command))
  if (missing.length > 0 && canApt()) {
    console.log(`npm ci failed, and ${missing.join(', ')} is missing, which compiles packages without a prebuilt binary.`)
    await aptInstall(COMPILER.packages)
  }
  console.log('Trying npm ci again …')
  const fault = await npmCi(root, ownHeaders())
  if (fault === null) return
  const hint = missing.length > 0 ? `\nA compiler is missing. On Debian or Ubuntu: ${aptCommand(COMPILER.packages)}` : ''
  throw new Error(`The npm packages could not be installed. npm says:\n${fault}${hint}`)
}

/** What has to be compiled is compiled on every core (JOBS). @returns {Promise<string | null>} npm's output if it failed */
async function npmCi(root, variables = {}) {
  const options = { cwd: fileURLToPath(root), env: { JOBS: 'max', ...process.env, ...variables }, detail: readNpm() }
  const { status, lines } = await runShown('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=info'], options)
  if (status === 0) return null
  return lines
    .filter((line) => !/^npm (info|http|verbose)/.test(line))
    .slice(-25)
    .join('\n')
}

/** @returns {(line: string) => string | null} reads npm's progress from the lines of `npm ci --loglevel=info` */
export function readNpm() {
  let fetched = 0
  return (line) => {
    if (/^npm http fetch /.test(line)) return `${++fetched} downloads`
    const script = /^npm info run (\S+) (\w+) \S+ /.exec(line)
    return script && !line.includes('{') ? `${script[1]} ${script[2]}` : null
  }
}

/** Node's own header files, so that the compiler need not download them. */
function ownHeaders() {
  const prefix = join(dirname(process.execPath), '..')
  return existsSync(join(prefix, 'include/node/node.h')) ? { npm_config_nodedir: prefix } : {}
}

/** npm writes `node_modules/.package-lock.json` last, so an interrupted installation has none. */
function isInstalled(root) {
  const hidden = new URL('node_modules/.package-lock.json', root)
  if (!existsSync(hidden)) return false
  const wanted = JSON.parse(readFileSync(new URL('package-lock.json', root), 'utf8')).packages
  const installed = JSON.parse(readFileSync(hidden, 'utf8')).packages
  return Object.entries(wanted).every(
    ([path, entry]) => path === '' || entry.optional || entry.devOptional || installed[path]?.version === entry.version,
  )
}

function responds(command) {
  return spawnSync(command, ['--version'], { stdio: 'ignore' }).status === 0
}

/**
 * The Node versions that Vite and the rest support; package.json has the same range.
 * @param {string} version as in `process.versions.node`
 * @returns {string | null} what is wrong with this Node and what to do
 */
export function nodeFault(version) {
  const [major, minor] = version.split('.').map(Number)
  if (major > 22 || (major === 22 && minor >= 12) || (major === 20 && minor >= 19)) return null
  return `Errand needs Node 20.19 or later in the 20 series, or 22.12 or later; this is ${version}. Get it from https://nodejs.org.`
}
