import { isOutput } from '../../contract/wire/sandbox.ts'
import type { Config } from '../process/config.ts'
import { Refusal } from '../process/errors.ts'
import { type ArtifactId, type Sums, sumOutputs } from '../store/artifacts.ts'
import type { Store } from '../store/sqlite/database.ts'

/** One artifact on its way in. */
export type Arrival = {
  /** Counts bytes before they are written. @throws Refusal `too_large` when they do not fit into a quota any more */
  take: (bytes: number) => void
  /** Looks again, within the transaction that stores it: uploads that ended meanwhile count now. */
  confirm: (tx: Store) => Promise<void>
  /** It is stored, or was given up. */
  leave: () => void
}

export type Quotas = { admit: (artifact: ArtifactId) => Promise<Arrival> }

/**
 * Bounds what the outputs of tools take: of one attempt, one task and one user. What is on its way counts too, so that uploads at the same
 * time do not pass together. The work itself (its bundle, patches and conversation) has bounds of its own and always finds room.
 */
export function createQuotas(db: Store, limits: Config['storage']): Quotas {
  const arriving = new Map<string, number>()
  const most = { attempt: limits.attemptOutputsBytes, task: limits.taskOutputsBytes, user: limits.userBytes / 2 }
  const add = (place: string, bytes: number) => {
    const now = (arriving.get(place) ?? 0) + bytes
    if (now > 0) arriving.set(place, now)
    else arriving.delete(place)
    return now
  }
  return {
    admit: async (artifact) => {
      if (!isOutput(artifact.kind)) return FREE
      const { userId, ...stored } = await sumsOf(db, artifact)
      const { taskId, attempt } = artifact
      const places = { attempt: `${taskId} ${attempt}`, task: taskId, user: userId }
      let mine = 0
      return {
        take: (bytes) => {
          mine += bytes
          // All of them first: what was counted is taken off again by `leave`.
          const coming = SCOPES.map((scope) => [scope, stored[scope] + add(places[scope], bytes)] as const)
          const full = coming.find(([scope, sum]) => sum > most[scope])
          if (full) throw tooMuch(full[0], most[full[0]])
        },
        confirm: async (tx) => {
          const now = await sumsOf(tx, artifact)
          const scope = SCOPES.find((one) => now[one] + mine > most[one])
          if (scope) throw tooMuch(scope, most[scope])
        },
        leave: () => {
          for (const scope of SCOPES) add(places[scope], -mine)
          mine = 0
        },
      }
    },
  }
}

const SCOPES = ['attempt', 'task', 'user'] as const satisfies readonly (keyof Sums)[]

const FREE: Arrival = { take: () => undefined, confirm: async () => undefined, leave: () => undefined }

const WHOSE = {
  attempt: ['this attempt', 'ERRAND_ATTEMPT_OUTPUTS_MB'],
  task: ['this task', 'ERRAND_TASK_OUTPUTS_MB'],
  user: ['all tasks of this user', 'ERRAND_USER_STORAGE_MB'],
} as const

function tooMuch(scope: keyof Sums, bytes: number): Refusal {
  const [whose, setting] = WHOSE[scope]
  const advice = scope === 'user' ? 'Delete tasks that are no longer needed' : 'Write less output'
  return new Refusal(
    'too_large',
    `The stored outputs of ${whose} may take ${Math.floor(bytes / (1024 * 1024))} MB, and this one is beyond that. ${advice}, or have the administrator raise ${setting}.`,
  )
}

/** @throws Refusal `conflict` for a task that is gone */
async function sumsOf(db: Store, artifact: ArtifactId) {
  const sums = await sumOutputs(db, artifact)
  if (!sums) throw new Refusal('conflict', 'This is not the current attempt of the task.')
  return sums
}
