// One bundled file, two processes: the supervisor starts this same file again as the agent. Nothing heavy is imported up here, so that the
// first line goes out before the rest is loaded.
const [, script = '', role] = process.argv
if (role !== 'agent') process.stdout.write(`${JSON.stringify({ type: 'sandbox.ready', data: { node: process.version } })}\n`)

const { readConfig } = await import('./process/config.ts')
const { MARKER } = await import('./process/processes.ts')
const config = readConfig(process.env)

if (role === 'agent') {
  const { runAgent } = await import('./turn/agent.ts')
  process.exitCode = await runAgent(config)
  // A turn that has ended must not stay alive because a library left something open.
  process.exit()
}

// The agent inherits the marker, and so does every process that it starts.
process.env[MARKER] = config.run

const { supervise } = await import('./supervisor/supervisor.ts')
const reported = await supervise(config, [process.execPath, ...process.execArgv, script, 'agent'], async ({ exit, stopped }) => {
  const { rescue } = await import('./supervisor/rescue.ts')
  await rescue(config, exit, stopped)
}).catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`)
  return false
})
const { EXIT } = await import('../contract/wire/sandbox.ts')
process.exitCode = reported ? EXIT.reported : EXIT.crashed
