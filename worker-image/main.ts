// One bundled file, two processes: the supervisor starts this same file again as the agent. Nothing heavy is imported up here: the first
// line goes out before the rest is even loaded.
const [, script = '', role] = process.argv
if (role !== 'agent') process.stdout.write(`${JSON.stringify({ type: 'sandbox.ready', data: { node: process.version } })}\n`)

const { readConfig } = await import('./process/config.ts')
const { MARKER } = await import('./process/processes.ts')
const config = readConfig(process.env)

if (role === 'agent') {
  const { runAgent } = await import('./turn/agent.ts')
  process.exitCode = await runAgent(config)
  // Whatever a library left open must not keep a turn that has ended alive.
  process.exit()
}

// The agent inherits it, and with it all that the agent starts.
process.env[MARKER] = config.run

const { supervise } = await import('./supervisor/supervisor.ts')
const said = await supervise(config, [process.execPath, ...process.execArgv, script, 'agent'], async ({ exit, stopped }) => {
  const { rescue } = await import('./supervisor/rescue.ts')
  await rescue(config, exit, stopped)
}).catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`)
  return false
})
const { EXIT } = await import('../contract/wire/sandbox.ts')
process.exitCode = said ? EXIT.reported : EXIT.crashed
