import { nodeFault } from './node-version.mjs'
import { installPackages } from './packages.mjs'

// A reader that goes before us (`npm start | head -1`) must not end us half-way: what was started is stopped in order.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined)

const root = new URL('../', import.meta.url)

/**
 * Runs a TypeScript file of this repository in this process, after the packages are there. Node strips the types itself where it can;
 * Node 20 does it through tsx. A fault ends as one plain message and exit code 1.
 * @param {string} path from the repository's root
 */
export async function runTypeScript(path) {
  try {
    const fault = nodeFault(process.versions.node)
    if (fault) throw new Error(fault)
    await installPackages(root)
    if (!process.features.typescript) {
      const { register } = await import('tsx/esm/api')
      register()
    }
    const { main } = await import(new URL(path, root).href)
    process.exitCode = await main(process.argv.slice(2))
  } catch (error) {
    console.error(`\n${error instanceof Error ? error.message : String(error)}`)
    if (process.env.ERRAND_LOG_LEVEL === 'debug') console.error(error)
    process.exitCode = 1
  }
}
