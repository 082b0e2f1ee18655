import * as z from 'zod'
import { requestBody } from './errors.ts'
import { Reason } from './reason.ts'
import { TaskStatus } from './status.ts'

const time = z.iso.datetime()

/**
 * How a runner is taken out of service: `finish` lets its attempts end; with `hand_over` their agents save the work, and other runners go on.
 */
export const Draining = z.enum(['finish', 'hand_over'])
export type Draining = z.infer<typeof Draining>

/** `PATCH /api/admin/runners/:id`. Null: the runner takes tasks again. */
export const ChangeRunner = requestBody({ drain: Draining.nullable() })

/** Where this server stores its data, bytes. `low`: less is free than the floor, so no new work begins. */
const Disk = z.object({ freeBytes: z.number(), totalBytes: z.number(), floorBytes: z.number(), low: z.boolean() })

/** `GET /api/admin/overview`, for admins only. */
export const Overview = z
  .object({
    runners: z.array(
      z.object({
        id: z.string(),
        name: z.string(),
        slots: z.number(),
        busy: z.number(),
        seenAt: time,
        connected: z.boolean(),
        /** Why it takes no tasks although it is connected; absent while it is well. `message` is what it saw on its host. */
        unwell: z.object({ reason: Reason, reasonText: z.string(), message: z.string() }).optional(),
      }),
    ),
    tasks: z.record(TaskStatus, z.number()),
    users: z.array(
      z.object({ id: z.string(), name: z.string(), tasks: z.number(), costUsd: z.number(), lastSeenAt: time.nullable() }),
    ),
    redis: z.boolean(),
    /** Absent: an older server. */
    disk: Disk.optional(),
    /** The automatic backups: when the newest was made, and why the last try failed, in words. Absent: this server makes none. */
    backups: z.object({ lastAt: time.nullable(), fault: z.string().nullable() }).optional(),
    version: z.string(),
  })
  .meta({ id: 'Overview' })
export type Overview = z.infer<typeof Overview>

/** `GET /api/admin/storage`, for admins only: what takes the space, and what may. Bytes. */
export const Storage = z
  .object({
    disk: Disk,
    /** `freeBytes`: free for new rows within the file. */
    database: z.object({ bytes: z.number(), freeBytes: z.number() }),
    /** `outputs` of tools, `bundles` with work that could not be pushed, `conversations`, `patches`, `others`. */
    kinds: z.array(z.object({ kind: z.string(), files: z.number(), bytes: z.number() })),
    /** The largest first; `bytes`: files and histories. `full`: they can start nothing new, or no more of their outputs are stored. */
    users: z.array(z.object({ id: z.string(), name: z.string(), bytes: z.number(), outputBytes: z.number(), full: z.boolean() })),
    limits: z.object({
      attemptOutputsBytes: z.number(),
      taskOutputsBytes: z.number(),
      userBytes: z.number(),
      /** Days that these are kept; 0: for ever. */
      outputDays: z.number(),
      bundleDays: z.number(),
      taskDays: z.number(),
    }),
  })
  .meta({ id: 'Storage' })
export type Storage = z.infer<typeof Storage>
