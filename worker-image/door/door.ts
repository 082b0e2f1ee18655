import { readFile, stat } from 'node:fs/promises'
import { LIMITS } from '../../contract/api/limits.ts'
import { DOOR_PATHS, UNCONFIRMED } from '../../contract/wire/names.ts'
import { type ArtifactKind, Assignment, SteerMessage } from '../../contract/wire/sandbox.ts'
import { pause } from '../process/pause.ts'

/** What the agent asks of the runner's gateway, apart from the model and git. */
export type Door = {
  /** @throws Error when the gateway gives no assignment for too long */
  assignment: () => Promise<Assignment>
  /** The conversation so far, as an earlier turn kept it; null when there is none. */
  transcript: () => Promise<string | null>
  /** What the person said to the running turn, and was not taken yet. */
  messages: () => Promise<SteerMessage[]>
  /**
   * Waits for the coordinator's word on this attempt: the gateway lets nothing out without it, and says when to stop waiting.
   * @param signal ends the waiting; without a word of the coordinator's by then it is `away`
   */
  standing: (signal?: AbortSignal) => Promise<LeaseStanding>
  /**
   * Hands bytes over that must outlive the sandbox; a coordinator that is away is waited for.
   * @throws Error when they are too many, the gateway refuses them, or the waiting was ended
   */
  keep: (kind: ArtifactKind, bytes: Buffer) => Promise<void>
  keepFile: (kind: ArtifactKind, path: string) => Promise<void>
}

/** `lease`: the attempt is the current one, or over, or the coordinator is away. `waited`: it was away for a while. */
export type LeaseStanding = { lease: 'current' | 'over' | 'away'; waited: boolean }

/** A coordinator that is just being started again is waited for: without these two there is no turn. The gateway says that it is away. */
const BEGIN_MS = 600_000
/** A door at which nobody answers is given up soon: a gateway that is gone does not come back to this sandbox. */
const SILENT_MS = 15_000
const ASK_AGAIN_MS = 1000
/** To the head of an answer. Also bounds a connection that breaks before it was used: Node 20's fetch may wait on it forever. */
const ASK_MS = 2000
/** Within an answer, from one piece to the next; a long conversation may come slowly. */
const PIECE_MS = 15_000
/** To hand over what the coordinator is there to take; the last copy of the work may be large. */
const KEEP_MS = 60_000
const KEEP_BUNDLE_MS = 600_000
/** A part of the view is not waited for as long as the work is: the turn goes on without. */
const OUTPUT_WAIT_MS = 60_000
/** To one answer about the lease; the gateway gives one within a minute. */
const STANDING_MS = 75_000
/** Between two of them; the time limit of the attempt runs meanwhile. */
const NEXT_STANDING_MS = 50
/** When the waiting is over before it began: what a coordinator that is there needs, and a sandbox that is being stopped can spare. */
const LAST_STANDING_MS = 2_500

/**
 * @param parts.url the forwarder's, without a slash at the end
 * @param parts.signal ends the waiting for a gateway that does not answer yet
 * @param parts.patience ends the waiting for a coordinator that is away
 */
export function createDoor(parts: { url: string; token: string; signal?: AbortSignal; patience?: AbortSignal }): Door {
  const { url, token, signal, patience } = parts
  const headers = { authorization: `Bearer ${token}` }
  const ask = (path: string) => askDoor(`${url}${path}`, headers, signal)
  const standing: Door['standing'] = (ended = patience) => askStanding(`${url}${DOOR_PATHS.lease}`, headers, ended)
  const keep: Door['keep'] = async (kind, bytes) => {
    if (bytes.length > LIMITS.artifactBytes) throw tooLarge(kind, bytes.length)
    const giveUpAt = kind.startsWith('output.') ? performance.now() + OUTPUT_WAIT_MS : Number.POSITIVE_INFINITY
    for (;;) {
      const response = await fetch(`${url}${DOOR_PATHS.artifacts}${kind}`, {
        method: 'PUT',
        headers: { ...headers, 'content-type': 'application/octet-stream' },
        body: new Uint8Array(bytes),
        signal: AbortSignal.timeout(kind === 'bundle' ? KEEP_BUNDLE_MS : KEEP_MS),
      })
      const said = await response.text()
      if (response.ok) return
      if (response.status !== UNCONFIRMED || patience?.aborted || performance.now() > giveUpAt)
        throw new Error(`the gateway answered ${response.status} to the ${kind}: ${said}`)
      if (Number.isFinite(giveUpAt)) continue
      const { lease } = await standing()
      if (lease !== 'current' && !(kind === 'bundle' && lease === 'away')) throw new Error(`the ${kind} waited in vain: ${lease}`)
    }
  }
  return {
    standing,
    assignment: () =>
      persistently(async () => {
        const response = await ask(DOOR_PATHS.assignment)
        if (!response.ok) throw new NotYet(`the gateway answered ${response.status} instead of an assignment`)
        return Assignment.parse(JSON.parse(response.text))
      }, signal),
    transcript: () =>
      persistently(
        async () => {
          const response = await ask(DOOR_PATHS.transcript)
          if (response.ok) return response.text
          if (response.status === 404) return null
          if (response.status === UNCONFIRMED) throw new Away('the coordinator is away')
          throw new NotYet(`the gateway answered ${response.status} instead of the transcript`)
        },
        signal,
        standing,
      ),
    messages: async () => {
      const response = await ask(DOOR_PATHS.messages)
      if (!response.ok) throw new Error(`the gateway answered ${response.status} instead of the messages`)
      return SteerMessage.array().parse(JSON.parse(response.text))
    },
    keep,
    keepFile: async (kind, path) => {
      const { size } = await stat(path)
      if (size > LIMITS.artifactBytes) throw tooLarge(kind, size)
      await keep(kind, await readFile(path))
    },
  }
}

/** The gateway is there, and has no answer yet, or not all of it. */
class NotYet extends Error {}

/** The gateway says that it is to be waited for. */
class Away extends Error {}

type Answer = Pick<Response, 'ok' | 'status'> & { text: string }

async function askDoor(url: string, headers: Record<string, string>, signal?: AbortSignal): Promise<Answer> {
  const silence = new AbortController()
  const giveUp = () => silence.abort(new Error('the gateway is silent'))
  let timer = setTimeout(giveUp, ASK_MS)
  try {
    const { ok, status, body } = await fetch(url, {
      headers,
      signal: AbortSignal.any([silence.signal, ...(signal ? [signal] : [])]),
    })
    clearTimeout(timer)
    timer = setTimeout(giveUp, PIECE_MS)
    return { ok, status, text: await textOf(body, () => timer.refresh()) }
  } finally {
    clearTimeout(timer)
  }
}

async function textOf(body: ReadableStream<Uint8Array> | null, onPiece: () => void): Promise<string> {
  const pieces: Uint8Array[] = []
  try {
    for await (const piece of body ?? []) {
      onPiece()
      pieces.push(piece)
    }
    return Buffer.concat(pieces).toString('utf8')
  } catch (error) {
    throw new NotYet(`the gateway's answer broke off: ${String(error)}`)
  }
}

async function persistently<T>(ask: () => Promise<T>, signal: AbortSignal | undefined, standing?: Door['standing']): Promise<T> {
  let begun = performance.now()
  let heardAt = begun
  for (let tried = 1; ; tried++) {
    try {
      return await ask()
    } catch (error) {
      // The wait for it does not count.
      if (error instanceof Away && (await standing?.(signal))?.lease === 'current') begun = performance.now()
      const now = performance.now()
      if (error instanceof NotYet || error instanceof Away) heardAt = now
      if (signal?.aborted || now - heardAt > SILENT_MS || now - begun > BEGIN_MS) throw error
      await pause(Math.min(200 * tried, ASK_AGAIN_MS), signal)
    }
  }
}

async function askStanding(url: string, headers: Record<string, string>, ended?: AbortSignal): Promise<LeaseStanding> {
  const isLast = ended?.aborted === true
  const begun = performance.now()
  let heardAt = begun
  const waited = () => performance.now() - begun > ASK_AGAIN_MS
  for (;;) {
    const { signal, dispose } = bounded(isLast ? LAST_STANDING_MS : STANDING_MS, isLast ? undefined : ended)
    try {
      const response = await fetch(url, { headers, signal })
      await response.body?.cancel()
      heardAt = performance.now()
      if (response.status === 204) return { lease: 'current', waited: waited() }
      if (response.status !== UNCONFIRMED) return { lease: 'over', waited: waited() }
      if (!isLast) await pause(NEXT_STANDING_MS, ended)
    } catch {
      if (performance.now() - heardAt > STANDING_MS + SILENT_MS) return { lease: 'away', waited: true }
      if (!isLast) await pause(ASK_AGAIN_MS, ended)
    } finally {
      dispose()
    }
    if (isLast || ended?.aborted) return { lease: 'away', waited: true }
  }
}

function bounded(ms: number, ended: AbortSignal | undefined): { signal: AbortSignal; dispose: () => void } {
  const late = new AbortController()
  const abort = () => late.abort()
  const timer = setTimeout(abort, ms)
  ended?.addEventListener('abort', abort)
  return {
    signal: late.signal,
    dispose: () => {
      clearTimeout(timer)
      ended?.removeEventListener('abort', abort)
    },
  }
}

function tooLarge(kind: ArtifactKind, bytes: number) {
  return new Error(`the ${kind} has ${bytes} bytes, and at most ${LIMITS.artifactBytes} are kept`)
}
