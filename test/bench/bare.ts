/** What the parts cost without Errand. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import Sqlite from 'better-sqlite3'
import { execa } from 'execa'
import { Server } from 'socket.io'
import { io } from 'socket.io-client'

const folder = new URL('./image/', import.meta.url).pathname

/** @returns the name of the sandbox image with the talker in it */
export async function buildTalker(): Promise<string> {
  await execa('docker', ['build', '--quiet', '-t', 'errand-bench:latest', folder])
  return 'errand-bench:latest'
}

const hardened = [
  '--rm',
  '--network',
  'none',
  '--cap-drop',
  'ALL',
  '--read-only',
  '--init',
  '--memory',
  '4g',
  '--security-opt',
  'no-new-privileges',
]
function talk(image: string, script: string) {
  return spawn('docker', ['run', ...hardened, '--entrypoint', 'node', image, '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
}

/** @returns milliseconds from `docker run` to the first byte that Node in the container writes */
export async function bareContainer(image: string): Promise<number> {
  const begun = performance.now()
  const child = talk(image, 'process.stdout.write("ready\\n")')
  const first = await new Promise<number>((resolve) => child.stdout.once('data', () => resolve(performance.now() - begun)))
  await new Promise((ended) => child.once('exit', ended))
  return first
}

/** @returns milliseconds that each line took from a bare container to a reader of its output */
export async function bareOutput(image: string, perSecond: number, seconds: number): Promise<number[]> {
  const script = `let n=0;const t=setInterval(()=>{console.log(performance.timeOrigin+performance.now()+" ${'x'.repeat(200)}");if(++n===${perSecond * seconds})clearInterval(t)},${1000 / perSecond})`
  const child = talk(image, script)
  const latencies: number[] = []
  for await (const line of createInterface({ input: child.stdout }))
    latencies.push(performance.timeOrigin + performance.now() - Number(line.split(' ')[0]))
  return latencies
}

/**
 * A Socket.IO server with nothing but a query behind it.
 * @returns milliseconds from opening a connection to having the last `count` events of a task, 10 times
 */
export async function bareReconnect(dataDir: string, taskId: string, count: number): Promise<number[]> {
  const database = new Sqlite(join(dataDir, 'errand.db'), { readonly: true })
  const statement = database.prepare('select * from events where task_id = ? order by seq desc limit ?')
  const web = createServer()
  const server = new Server(web, { transports: ['websocket'] })
  server.on('connection', (socket) => {
    for (const row of statement.all(taskId, count).reverse()) socket.emit('event', row)
  })
  web.listen(0, '127.0.0.1')
  await once(web, 'listening')
  const { port } = web.address() as AddressInfo
  const times: number[] = []
  for (let round = 0; round < 10; round++) {
    const begun = performance.now()
    const socket = io(`http://127.0.0.1:${port}`, { transports: ['websocket'], forceNew: true })
    let missing = count
    await new Promise<void>((resolve) => socket.on('event', () => --missing === 0 && resolve()))
    times.push(performance.now() - begun)
    socket.disconnect()
  }
  await server.close()
  database.close()
  return times
}

/** @returns megabytes that an idle Node container uses; null when the engine does not say */
export async function bareSandboxMemory(): Promise<number | null> {
  const { stdout: id } = await execa('docker', [
    'run',
    '-d',
    '--network',
    'none',
    '--init',
    '--entrypoint',
    'node',
    'errand-bench:latest',
    '-e',
    'setTimeout(()=>0,30000);console.log(1)',
  ])
  try {
    for (;;) if ((await execa('docker', ['logs', id])).stdout.includes('1')) return await containerMemory(id)
  } finally {
    await execa('docker', ['rm', '-f', id])
  }
}

/** @returns megabytes that a container uses, by the engine's own account; null when it gives none */
export async function containerMemory(id: string): Promise<number | null> {
  const { stdout } = await execa('docker', ['stats', '--no-stream', '--format', '{{.MemUsage}}', id])
  const [, amount, unit] = /^([\d.]+)(KiB|MiB|GiB)/.exec(stdout) ?? []
  const inMegabytes = unit && { KiB: 1 / 1024, MiB: 1, GiB: 1024 }[unit]
  return inMegabytes ? Math.round(Number(amount) * inMegabytes * 10) / 10 : null
}
