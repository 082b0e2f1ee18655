/**
 * What the river costs, beside what its parts cost bare, in one run on one machine. An absolute figure from another machine or another
 * day proves nothing; the ratios do. `npm run bench` prints the table.
 */
import { startSystem } from '../support/systems/system.ts'
import { bareContainer, bareOutput, bareReconnect, bareSandboxMemory, buildTalker } from './bare.ts'
import { firstEvent, latency, memory, reconnect, sandboxMemory, throughput } from './river.ts'
import { megabytes, milliseconds, NOT_MEASURED, ratio, table } from './table.ts'

type Row = { what: string; bare: string; ours: string; ratio: string }

async function main(): Promise<void> {
  const image = await buildTalker()
  const system = await startSystem({ runners: [{ RUNNER_IMAGE: image, RUNNER_SLOTS: '2' }] })
  try {
    const rows: Row[] = []
    const say = (row: Row) => {
      rows.push(row)
      process.stderr.write(`${row.what}: ${row.ours}\n`)
    }

    const cold: number[] = []
    const bareCold: number[] = []
    for (let round = 0; round < 10; round++) {
      bareCold.push(await bareContainer(image))
      cold.push(await firstEvent(system))
    }
    say({
      what: 'POST → first event from inside, cold (bare: docker create, start, first byte)',
      bare: milliseconds(bareCold, 0.5),
      ours: milliseconds(cold, 0.5),
      ratio: ratio(cold, bareCold),
    })

    say({ what: 'coordinator, resident', bare: '', ours: megabytes(memory(system.coordinator.pid())), ratio: '' })
    say({ what: 'runner, resident', bare: '', ours: megabytes(memory(system.runners[0]?.pid())), ratio: '' })
    const bareIdle = await bareSandboxMemory()
    const idle = await sandboxMemory(system)
    say({
      what: 'idle sandbox (bare: a Node container)',
      bare: megabytes(bareIdle),
      ours: megabytes(idle),
      ratio: ratio(idle, bareIdle),
    })

    const bareLines = await bareOutput(image, 100, 10)
    for (const kind of ['events', 'deltas'] as const) {
      const ours = await latency(system, kind, 100, 10)
      say({
        what: `${kind === 'events' ? 'durable event' : 'text delta'}, container → client, 100/s, p50 (bare: the container's output)`,
        bare: milliseconds(bareLines, 0.5),
        ours: milliseconds(ours, 0.5),
        ratio: ratio(ours, bareLines),
      })
      say({ what: 'the same, p99', bare: milliseconds(bareLines, 0.99), ours: milliseconds(ours, 0.99), ratio: '' })
    }

    const most = await throughput(system)
    say({
      what: 'durable events a second with p99 under 100 ms, one task',
      bare: '',
      ours: String(most.highest ?? NOT_MEASURED),
      ratio: '',
    })
    if (most.why !== null) process.stderr.write(`  ${NOT_MEASURED}: ${most.why}\n`)

    const { taskId, times } = await reconnect(system, 200)
    const read = await bareReconnect(system.dataDir, taskId, 200)
    say({
      what: 'reconnect with 200 missed events (bare: Socket.IO and a query)',
      bare: milliseconds(read, 0.5),
      ours: milliseconds(times, 0.5),
      ratio: ratio(times, read),
    })
    const cells = rows.map(({ what, bare, ours, ratio }) => [what, bare, ours, ratio])
    process.stdout.write(`\n${table(['what', 'bare', 'ours', 'ratio'], cells)}\n`)
  } finally {
    await system.stop()
  }
}

await main()
