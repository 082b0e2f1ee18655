import * as z from 'zod'
import { Reason } from './reason.ts'
import { TaskStatus } from './status.ts'

const time = z.iso.datetime()

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
    /** The disk of this server. `low`: no new work begins until space is freed. Absent: an older server. */
    disk: z.object({ freeBytes: z.number(), totalBytes: z.number(), floorBytes: z.number(), low: z.boolean() }).optional(),
    version: z.string(),
  })
  .meta({ id: 'Overview' })
export type Overview = z.infer<typeof Overview>
