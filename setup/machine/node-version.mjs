/** The Node versions that Vite and the rest support; package.json has the same range. Plain Node: it runs before any package is installed. */

/**
 * @param {string} version as in `process.versions.node`
 * @returns {string | null} what is wrong with this Node and what to do
 */
export function nodeFault(version) {
  const [major, minor] = version.split('.').map(Number)
  if (major > 22 || (major === 22 && minor >= 12) || (major === 20 && minor >= 19)) return null
  return `Errand needs Node 20.19 or later in the 20 series, or 22.12 or later; this is ${version}. Get it from https://nodejs.org.`
}
