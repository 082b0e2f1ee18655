/** What the same things cost through the whole of Errand: coordinator, Redis, runner, container, and a client that only connects. */
import { readFileSync } from 'node:fs'
import { execa } from 'execa'
import type { Delta, TaskEvent } from '../../contract/api/event.ts'
import { LABELS } from '../../contract/wire/names.ts'
import { waitFor } from '../support/checks/wait.ts'
import type { System } from '../support/systems/system.ts'
import { containerMemory } from './bare.ts'
import { type Climb, climb } from './ladder.ts'
import { percentile } from './table.ts'

type Talk = { kind: 'events' | 'deltas' | 'idle'; perSecond: number; seconds: number }

async function send(system: System, talk: Talk) {
  const { demoRepoUrl } = (await system.api<{ demoRepoUrl: string }>('/api/me')).body
  return system.send({ repoUrl: demoRepoUrl, prompt: JSON.stringify(talk) })
}

function clock() {
  return performance.timeOrigin + performance.now()
}
function sinceSaid(text: string) {
  return clock() - Number(text.split(' ')[0])
}

async function client(system: System) {
  const socket = system.connect()
  await waitFor('the client to connect', () => socket.connected)
  return socket
}

/** @returns milliseconds from the POST to `sandbox.ready` at the client */
export async function firstEvent(system: System): Promise<number> {
  const socket = await client(system)
  const begun = performance.now()
  const ready = new Promise<number>((resolve) => {
    socket.on('event', (event) => event.type === 'sandbox.ready' && resolve(performance.now() - begun))
  })
  const task = await send(system, { kind: 'events', perSecond: 1, seconds: 1 })
  const took = await ready
  await system.ended(task.id)
  socket.disconnect()
  return took
}

/** @returns milliseconds from the container to the client, of each event or delta */
export async function latency(system: System, kind: 'events' | 'deltas', perSecond: number, seconds: number): Promise<number[]> {
  const socket = await client(system)
  const latencies: number[] = []
  const onEvent = (event: TaskEvent) => {
    if (kind === 'events' && event.type === 'text.written') latencies.push(sinceSaid(event.data.text))
  }
  // The runner may join deltas that come close together: the first one's moment is counted, which is the longest wait.
  const onDelta = (delta: Delta) => {
    if (kind === 'deltas') latencies.push(sinceSaid(delta.text))
  }
  socket.on('event', onEvent)
  socket.on('delta', onDelta)
  try {
    const task = await send(system, { kind, perSecond, seconds })
    await socket.emitWithAck('task:watch', { taskId: task.id })
    await system.ended(task.id, 120_000)
    if (kind === 'events') await waitFor('every event', () => latencies.length === perSecond * seconds)
  } finally {
    socket.disconnect()
  }
  return latencies.filter(Number.isFinite)
}

/** @returns the highest rate tried, durable events a second through one task, at which 99 of 100 arrive within 100 ms */
export function throughput(system: System): Promise<Climb> {
  return climb(
    { rates: [500, 1000, 2000, 4000, 8000], boundMs: 100 },
    async (perSecond) => percentile(await latency(system, 'events', perSecond, 4), 0.99),
    (perSecond, tried) =>
      process.stderr.write(`  ${perSecond}/s: ${'p99' in tried ? `p99 ${tried.p99.toFixed(1)} ms` : tried.fault}\n`),
  )
}

/** @returns milliseconds from opening a connection to having the last `missed` events of a task, 10 times */
export async function reconnect(system: System, missed: number): Promise<{ taskId: string; times: number[] }> {
  const task = await send(system, { kind: 'events', perSecond: 200, seconds: 2 })
  const { lastSeq } = await system.ended(task.id)
  const times: number[] = []
  for (let round = 0; round < 10; round++) {
    const begun = performance.now()
    const socket = system.connect()
    const complete = new Promise<void>((resolve) => {
      socket.on('event', (event) => event.seq === lastSeq && resolve())
    })
    await socket.emitWithAck('task:watch', { taskId: task.id, after: lastSeq - missed })
    await complete
    times.push(performance.now() - begun)
    socket.disconnect()
  }
  return { taskId: task.id, times }
}

/** @returns megabytes of a process that are in memory; null when it does not run */
export function memory(pid: number | undefined): number | null {
  if (!pid) return null
  const [, kilobytes] = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
  return kilobytes === undefined ? null : Math.round(Number(kilobytes) / 1024)
}

/** @returns megabytes of a sandbox that waits; null when the engine does not say */
export async function sandboxMemory(system: System): Promise<number | null> {
  const task = await send(system, { kind: 'idle', perSecond: 0, seconds: 4 })
  const id = await waitFor('the sandbox', async () => {
    const { stdout } = await execa('docker', ['ps', '-q', '--filter', `label=${LABELS.task}=${task.id}`])
    return stdout.trim()
  })
  const used = await containerMemory(id)
  await system.ended(task.id)
  return used
}
