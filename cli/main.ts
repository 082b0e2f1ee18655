import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { runErrand } from './errand.ts'
import { EXIT } from './server/faults.ts'

const home = fileURLToPath(new URL('..', import.meta.url))
// As `npm start` does, so that both find the same data folder. Variables that are already set win.
const dotEnv = join(home, '.env')
if (existsSync(dotEnv)) process.loadEnvFile(dotEnv)

const interrupted = new AbortController()
process.on('SIGINT', () => {
  if (interrupted.signal.aborted) process.exit(EXIT.left)
  interrupted.abort()
})
// The reader of a pipe may close it early (`errand list | head`): that is not a fault.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0)
  throw error
})

process.exitCode = await runErrand(process.argv.slice(2), {
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  environment: process.env,
  home,
  cwd: process.cwd(),
  interrupted: interrupted.signal,
})
