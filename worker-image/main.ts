// One program, three processes: the agent, the rescue after it, and the hands. Nothing heavy is imported up here: the first line goes out
// before the rest is loaded, and each process loads only the files that it needs.
const [, , role, code, stopped] = process.argv
if (role === 'agent') process.stdout.write(`${JSON.stringify({ type: 'sandbox.ready', data: { node: process.version } })}\n`)
// A command that ends every `node` must not mean these.
process.title = `errand-${role}`

if (role === 'hands') {
  const { readHandsConfig } = await import('./hands/config.ts')
  const { runHands } = await import('./hands/run-hands.ts')
  await runHands(readHandsConfig(process.env))
} else {
  const { readConfig } = await import('./process/config.ts')
  const config = readConfig(process.env)
  if (role === 'agent') {
    const { runAgent } = await import('./turn/agent.ts')
    process.exitCode = await runAgent(config)
  } else {
    const { rescue } = await import('./supervisor/rescue.ts')
    process.exitCode = await rescue(config, Number(code), stopped === 'yes')
  }
  // A turn that has ended must not stay alive because a library left something open.
  process.exit()
}
