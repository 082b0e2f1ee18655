/**
 * What the river costs, beside what its parts cost bare, in one run on one machine. An absolute figure from another machine or another
 * day proves nothing; the ratios do. `npm run bench` prints the table.
 */
import { type System, startSystem } from '../support/systems/system.ts'
import { bareContainer, bareOutput, bareReconnect, bareSandboxMemory, buildTalker } from './bare.ts'
import { firstEvent, latency, memory, reconnect, sandboxMemory, throughput } from './river.ts'
import { megabytes, milliseconds, NOT_MEASURED, ratio, table } from './table.ts'

type Row = { what: string; bare: string; ours: string; ratio: string }

async function main(): Promise<void> {
  const image = await buildTalker()
  const system = await startSystem({ runners: [{ RUNNER_IMAGE: image, RUNNER_SLOTS: '2' }] })
  try {
    const cells: string[][] = []
    for await (const { what, bare, ours, ratio } of measure(system, image)) {
      cells.push([what, bare, ours, ratio])
      process.stderr.write(`${what}: ${ours}\n`)
    }
    process.stdout.write(`\n${table(['what', 'bare', 'ours', 'ratio'], cells)}\n`)
  } finally {
    await system.stop()
  }
}

/** Measures one row after the other: each has the machine to itself. */
async function* measure(system: System, image: string): AsyncGenerator<Row> {
  yield await measureStart(system, image)
  yield* measureMemory(system)
  yield* measureLatency(system, image)
  yield await measureThroughput(system)
  yield await measureReconnect(system)
}

async function measureStart(system: System, image: string): Promise<Row> {
  const cold: number[] = []
  const bareCold: number[] = []
  for (let round = 0; round < 10; round++) {
    bareCold.push(await bareContainer(image))
    cold.push(await firstEvent(system))
  }
  return {
    what: 'POST → first event from inside, cold (bare: docker create, start, first byte)',
    bare: milliseconds(bareCold, 0.5),
    ours: milliseconds(cold, 0.5),
    ratio: ratio(cold, bareCold),
  }
}

async function* measureMemory(system: System): AsyncGenerator<Row> {
  yield { what: 'coordinator, resident', bare: '', ours: megabytes(memory(system.coordinator.pid())), ratio: '' }
  yield { what: 'runner, resident', bare: '', ours: megabytes(memory(system.runners[0]?.pid())), ratio: '' }
  const bare = await bareSandboxMemory()
  const ours = await sandboxMemory(system)
  yield {
    what: 'idle sandbox (bare: a Node container)',
    bare: megabytes(bare),
    ours: megabytes(ours),
    ratio: ratio(ours, bare),
  }
}

async function* measureLatency(system: System, image: string): AsyncGenerator<Row> {
  const bare = await bareOutput(image, 100, 10)
  for (const kind of ['events', 'deltas'] as const) {
    const ours = await latency(system, kind, 100, 10)
    yield {
      what: `${kind === 'events' ? 'durable event' : 'text delta'}, container → client, 100/s, p50 (bare: the container's output)`,
      bare: milliseconds(bare, 0.5),
      ours: milliseconds(ours, 0.5),
      ratio: ratio(ours, bare),
    }
    yield { what: 'the same, p99', bare: milliseconds(bare, 0.99), ours: milliseconds(ours, 0.99), ratio: '' }
  }
}

async function measureThroughput(system: System): Promise<Row> {
  const { highest, why } = await throughput(system)
  if (why !== null) process.stderr.write(`  ${NOT_MEASURED}: ${why}\n`)
  return {
    what: 'durable events a second with p99 under 100 ms, one task',
    bare: '',
    ours: String(highest ?? NOT_MEASURED),
    ratio: '',
  }
}

async function measureReconnect(system: System): Promise<Row> {
  const { taskId, times } = await reconnect(system, 200)
  const bare = await bareReconnect(system.dataDir, taskId, 200)
  return {
    what: 'reconnect with 200 missed events (bare: Socket.IO and a query)',
    bare: milliseconds(bare, 0.5),
    ours: milliseconds(times, 0.5),
    ratio: ratio(times, bare),
  }
}

await main()
