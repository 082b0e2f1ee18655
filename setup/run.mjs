import { installPackages, nodeFault } from './machine/packages.mjs'

// A reader that goes before us (`npm start | head -1`) must not end us half-way: what was started is stopped in order.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined)

/**
 * `node setup/run.mjs <command> [arguments]`: installs the packages, then runs `setup/commands/<command>.ts` in this process. `install`
 * only installs. Node strips the types itself where it can; Node 20 does it through tsx. A fault ends as one plain message and exit code 1.
 */
async function run(command, args) {
  const fault = nodeFault(process.versions.node)
  if (fault) throw new Error(fault)
  await installPackages(new URL('../', import.meta.url))
  if (command === 'install') return 0
  if (!process.features.typescript) {
    const { register } = await import('tsx/esm/api')
    register()
  }
  const { main } = await import(new URL(`./commands/${command}.ts`, import.meta.url).href)
  return main(args)
}

const [command = 'start', ...args] = process.argv.slice(2)
try {
  process.exitCode = await run(command, args)
} catch (error) {
  console.error(`\n${error instanceof Error ? error.message : String(error)}`)
  if (process.env.ERRAND_LOG_LEVEL === 'debug') console.error(error)
  process.exitCode = 1
}
