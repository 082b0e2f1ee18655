import { fileURLToPath } from 'node:url'
import { runErrand } from './errand.ts'
import { EXIT } from './faults.ts'

const interrupted = new AbortController()
process.on('SIGINT', () => {
  if (interrupted.signal.aborted) process.exit(EXIT.left)
  interrupted.abort()
})
// The reader of a pipe may go before us (`errand list | head`): that is no fault.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0)
  throw error
})

process.exitCode = await runErrand(process.argv.slice(2), {
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  environment: process.env,
  folders: [process.cwd(), fileURLToPath(new URL('..', import.meta.url))],
  interrupted: interrupted.signal,
})
