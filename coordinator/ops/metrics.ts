import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import { TaskStatus } from '../../contract/api/status.ts'
import type { DiskSpace } from '../process/disk-space.ts'
import { countSlots } from '../store/runners.ts'
import type { Store } from '../store/sqlite/database.ts'
import { countByStatus } from '../store/tasks.ts'

/** The content of `/metrics`. */
export type Metrics = {
  contentType: string
  text: () => Promise<string>
  countBatch: (batch: { stored: number; durationMs: number }) => void
}

export type MetricsSources = { db: Store; disk: DiskSpace; countQueued: () => Promise<number>; countSockets: () => number }

export function createMetrics({ db, disk, countQueued, countSockets }: MetricsSources): Metrics {
  const registry = new Registry()
  const registers = [registry]
  collectDefaultMetrics({ register: registry })
  new Gauge({
    name: 'errand_tasks',
    help: 'Tasks by status.',
    labelNames: ['status'],
    registers,
    async collect() {
      for (const status of TaskStatus.options) this.set({ status }, 0)
      for (const { status, count } of await countByStatus(db)) this.set({ status }, count)
    },
  })
  new Gauge({
    name: 'errand_runner_slots',
    help: 'Slots of all healthy connected runners.',
    registers,
    async collect() {
      this.set(await countSlots(db, Date.now()))
    },
  })
  new Gauge({
    name: 'errand_queue_waiting',
    help: 'Turns waiting in the queue; -1 if Redis is unreachable.',
    registers,
    async collect() {
      this.set(await countQueued())
    },
  })
  addRoom(registers, disk)
  new Gauge({
    name: 'errand_sockets',
    help: 'Open client sockets.',
    registers,
    collect() {
      this.set(countSockets())
    },
  })
  const stored = new Counter({ name: 'errand_events_stored_total', help: 'Events taken from runners.', registers })
  const duration = new Histogram({
    name: 'errand_intake_batch_seconds',
    help: 'Time to check and store one batch of events.',
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1],
    registers,
  })
  return {
    contentType: registry.contentType,
    text: () => registry.metrics(),
    countBatch: ({ stored: events, durationMs }) => {
      stored.inc(events)
      duration.observe(durationMs / 1_000)
    },
  }
}

function addRoom(registers: Registry[], disk: DiskSpace): void {
  new Gauge({
    name: 'errand_disk_room_bytes',
    help: 'Free space above the floor, bytes; below 0 no new work begins.',
    registers,
    async collect() {
      const { freeBytes, floorBytes } = await disk.look()
      this.set(freeBytes - floorBytes)
    },
  })
}
