/** What Vite and the rest run on; the same range is in package.json. Plain Node: it is asked before any package is there. */

/**
 * @param {string} version as in `process.versions.node`
 * @returns {string | null} what is wrong with that Node, and what to do
 */
export function nodeFault(version) {
  const [major, minor] = version.split('.').map(Number)
  if (major > 22 || (major === 22 && minor >= 12) || (major === 20 && minor >= 19)) return null
  return `Errand needs Node 20.19 and later of 20, or 22.12 or newer; this is ${version}. Get one from https://nodejs.org.`
}
