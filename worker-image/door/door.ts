import { LIMITS } from '../../contract/api/limits.ts'
import { FENCE, SAVE, tailMs } from '../../contract/wire/deadlines.ts'
import { DOOR_PATHS, UNCONFIRMED } from '../../contract/wire/names.ts'
import { type ArtifactKind, Assignment, type Behind, Money, SteerMessage } from '../../contract/wire/sandbox.ts'
import { deadline, pause } from '../process/waiting.ts'

/** The agent's calls to the runner's gateway, except model and git. */
export type Door = {
  /** @throws Error if the gateway gives no assignment in time */
  assignment: () => Promise<Assignment>
  /** The conversation of earlier turns; null if there is none. */
  transcript: () => Promise<string | null>
  /** The money of the attempt, as the gateway counts it; null if it does not say. Never throws. */
  money: () => Promise<Money | null>
  /** Messages to the running turn that are not delivered yet. */
  messages: () => Promise<SteerMessage[]>
  /** Messages that this attempt was given and the model has not got, withdrawn ones too. */
  undelivered: () => Promise<SteerMessage[]>
  /**
   * Waits until the coordinator has confirmed or denied that this attempt is the current one: until then the gateway lets nothing out.
   * @param signal ends the waiting; the state is then `away`
   */
  awaitLease: (signal?: AbortSignal) => Promise<LeaseState>
  /**
   * Hands over bytes that must outlive the sandbox; waits while the coordinator is away.
   * @throws Error if they are too many, the gateway refuses them, or the wait was ended
   */
  store: (kind: ArtifactKind, bytes: Buffer) => Promise<void>
  /**
   * Brings what another host continues from if this one is lost; tries once and never throws. `refused`: what is stored is not what `behind`
   * says, or may not be stored; `later`: nobody could take it, or `signal` aborted.
   */
  storeTail: (
    kind: ArtifactKind,
    bytes: Buffer,
    behind: Behind | null,
    signal: AbortSignal,
  ) => Promise<'stored' | 'refused' | 'later'>
  /** The work tree of an earlier attempt at this turn, as a bundle; null if there is none. @throws Error if it does not come in time */
  checkpoint: () => Promise<Buffer | null>
  /** Has the runner start the hands again after they were killed. @throws Error when it cannot */
  startHands: () => Promise<void>
}

/** `lease`: the attempt is the current one, or over, or the coordinator is away. `waited`: the coordinator was away for a while. */
export type LeaseState = { lease: 'current' | 'over' | 'away'; waited: boolean }

/** For the assignment and the transcript, without which there is no turn: long enough for a coordinator to restart. */
const BEGIN_MS = 600_000
/** For a silent door: a gateway that is gone does not come back to this sandbox. */
const SILENT_MS = 15_000
const ASK_AGAIN_MS = 1000
/** Until the head of an answer. Also bounds a connection that breaks before it is used: Node 20's fetch may wait on it forever. */
const ASK_MS = 2000
/** Between two pieces of an answer; a long conversation may arrive slowly. */
const PIECE_MS = 15_000
/** To hand bytes over while the coordinator is there; the last copy of the work may be large. */
const STORE_MS = 60_000
const STORE_BUNDLE_MS = 600_000
/** The turn waits longer for its work than for an output, which people only look at. */
const OUTPUT_WAIT_MS = 60_000
/** The runner's engine starts a process within this, also on a busy host. */
const START_HANDS_MS = 30_000
/** Between two questions about the lease; the attempt's time limit keeps running. */
const NEXT_QUESTION_MS = 50

type DoorOptions = {
  /** The forwarder's to the agent's socket, without a slash at the end. */
  url: string
  token: string
  /** Ends the wait for a gateway that does not answer yet. */
  signal?: AbortSignal
  /** Ends the wait for an absent coordinator. */
  patience?: AbortSignal
}

export function createDoor({ url, token, signal, patience }: DoorOptions): Door {
  const headers = { authorization: `Bearer ${token}` }
  const ask = (path: string) => askDoor(`${url}${path}`, headers, signal)
  const awaitLease: Door['awaitLease'] = (ended = patience) => askForLease(`${url}${DOOR_PATHS.lease}`, headers, ended)
  const store: Door['store'] = async (kind, bytes) => {
    refuseTooLarge(kind, bytes.length)
    const put = () => putArtifact(`${url}${DOOR_PATHS.artifacts}${kind}`, headers, kind, bytes)
    await (kind.startsWith('output.') ? putForAWhile(put, patience) : putPatiently(kind, put, awaitLease, patience))
  }
  return {
    awaitLease,
    assignment: () => persistently(async () => Assignment.parse(JSON.parse(await assignmentIn(ask))), signal),
    transcript: () => persistently(() => transcriptIn(ask), signal, awaitLease),
    money: () => moneyIn(ask),
    messages: () => messagesIn(ask, DOOR_PATHS.messages),
    undelivered: () => messagesIn(ask, `${DOOR_PATHS.messages}?handed-out`),
    store,
    storeTail: (kind, bytes, behind, ended) => {
      const query = behind ? `?from=${behind.from}&hash=${behind.hash}` : ''
      return putTail(`${url}${DOOR_PATHS.tail}${kind}${query}`, headers, bytes, ended)
    },
    checkpoint: () => persistently(() => checkpointAt(`${url}${DOOR_PATHS.tail}checkpoint`, headers), signal, awaitLease),
    startHands: async () => {
      const how = { method: 'POST', headers, signal: AbortSignal.timeout(START_HANDS_MS) }
      const response = await fetch(`${url}${DOOR_PATHS.hands}`, how)
      if (!response.ok) throw new Error(await response.text())
      await response.body?.cancel()
    },
  }
}

/** The gateway is there, but has no complete answer yet. */
class NotYet extends Error {}

/** The gateway reports that the coordinator is away. */
class Away extends Error {}

type Headers = Record<string, string>
type Answer = Pick<Response, 'ok' | 'status'> & { text: string }
type Ask = (path: string) => Promise<Answer>

async function assignmentIn(ask: Ask): Promise<string> {
  const response = await ask(DOOR_PATHS.assignment)
  if (!response.ok) throw new NotYet(`the gateway answered ${response.status} instead of an assignment`)
  return response.text
}

async function moneyIn(ask: Ask): Promise<Money | null> {
  try {
    const response = await ask(DOOR_PATHS.money)
    return response.ok ? Money.parse(JSON.parse(response.text)) : null
  } catch {
    // The agent goes on with its own count, and the gateway's still holds.
    return null
  }
}

async function messagesIn(ask: Ask, path: string): Promise<SteerMessage[]> {
  const response = await ask(path)
  if (!response.ok) throw new Error(`the gateway answered ${response.status} instead of the messages`)
  return SteerMessage.array().parse(JSON.parse(response.text))
}

async function transcriptIn(ask: Ask): Promise<string | null> {
  const response = await ask(DOOR_PATHS.transcript)
  if (response.ok) return response.text
  if (response.status === 404) return null
  if (response.status === UNCONFIRMED) throw new Away('the coordinator is away')
  throw new NotYet(`the gateway answered ${response.status} instead of the transcript`)
}

async function checkpointAt(url: string, headers: Headers): Promise<Buffer | null> {
  const response = await fetch(url, { headers, signal: AbortSignal.timeout(STORE_MS) })
  try {
    if (response.ok) return Buffer.from(await response.arrayBuffer())
  } catch (error) {
    throw new NotYet(`the checkpoint broke off: ${String(error)}`)
  }
  await response.body?.cancel()
  if (response.status === 404) return null
  if (response.status === UNCONFIRMED) throw new Away('the coordinator is away')
  throw new NotYet(`the gateway answered ${response.status} instead of the checkpoint`)
}

async function askDoor(url: string, headers: Headers, signal?: AbortSignal): Promise<Answer> {
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

async function persistently<T>(
  ask: () => Promise<T>,
  signal: AbortSignal | undefined,
  awaitLease?: Door['awaitLease'],
): Promise<T> {
  let begun = performance.now()
  let heardAt = begun
  for (let tried = 1; ; tried++) {
    try {
      return await ask()
    } catch (error) {
      // The wait for the coordinator does not count.
      if (error instanceof Away && (await awaitLease?.(signal))?.lease === 'current') begun = performance.now()
      const now = performance.now()
      if (error instanceof NotYet || error instanceof Away) heardAt = now
      if (signal?.aborted || now - heardAt > SILENT_MS || now - begun > BEGIN_MS) throw error
      await pause(Math.min(200 * tried, ASK_AGAIN_MS), signal)
    }
  }
}

async function askForLease(url: string, headers: Headers, ended?: AbortSignal): Promise<LeaseState> {
  // A sandbox that is being stopped asks once more, and waits only as long as it can afford.
  const isLast = ended?.aborted === true
  const begun = performance.now()
  let heardAt = begun
  const waited = () => performance.now() - begun > ASK_AGAIN_MS
  for (;;) {
    const { signal, dispose } = isLast ? deadline(SAVE.leaseAnswerMs) : deadline(FENCE.askerPatienceMs, ended)
    try {
      const response = await fetch(url, { headers, signal })
      await response.body?.cancel()
      heardAt = performance.now()
      if (response.status === 204) return { lease: 'current', waited: waited() }
      if (response.status !== UNCONFIRMED) return { lease: 'over', waited: waited() }
      if (!isLast) await pause(NEXT_QUESTION_MS, ended)
    } catch {
      if (performance.now() - heardAt > FENCE.askerPatienceMs + SILENT_MS) return { lease: 'away', waited: true }
      if (!isLast) await pause(ASK_AGAIN_MS, ended)
    } finally {
      dispose()
    }
    if (isLast || ended?.aborted) return { lease: 'away', waited: true }
  }
}

async function putTail(url: string, headers: Headers, bytes: Buffer, ended: AbortSignal): ReturnType<Door['storeTail']> {
  const { signal, dispose } = deadline(tailMs(bytes.length).sandboxMs, ended)
  try {
    const how = { 'content-type': 'application/octet-stream' }
    const response = await fetch(url, { method: 'PUT', headers: { ...headers, ...how }, body: new Uint8Array(bytes), signal })
    await response.body?.cancel()
    return response.ok ? 'stored' : [UNCONFIRMED, 429].includes(response.status) || response.status >= 500 ? 'later' : 'refused'
  } catch {
    return 'later'
  } finally {
    dispose()
  }
}

/** Null: the gateway took it. `away`: the coordinator is away; send the same again. */
type Refused = { away: boolean; error: Error } | null

async function putArtifact(url: string, headers: Headers, kind: ArtifactKind, bytes: Buffer): Promise<Refused> {
  const response = await fetch(url, {
    method: 'PUT',
    headers: { ...headers, 'content-type': 'application/octet-stream' },
    body: new Uint8Array(bytes),
    signal: AbortSignal.timeout(kind === 'bundle' ? STORE_BUNDLE_MS : STORE_MS),
  })
  const answer = await response.text()
  if (response.ok) return null
  const error = new Error(`the gateway answered ${response.status} to the ${kind}: ${answer}`)
  return { away: response.status === UNCONFIRMED, error }
}

/** The gateway delays each try while the coordinator is away, so no pause between tries is needed. */
async function putForAWhile(put: () => Promise<Refused>, patience?: AbortSignal): Promise<void> {
  const giveUpAt = performance.now() + OUTPUT_WAIT_MS
  for (;;) {
    const refused = await put()
    if (!refused) return
    if (!refused.away || patience?.aborted || performance.now() > giveUpAt) throw refused.error
  }
}

async function putPatiently(
  kind: ArtifactKind,
  put: () => Promise<Refused>,
  awaitLease: Door['awaitLease'],
  patience?: AbortSignal,
): Promise<void> {
  for (;;) {
    const refused = await put()
    if (!refused) return
    if (!refused.away || patience?.aborted) throw refused.error
    const { lease } = await awaitLease()
    // The gateway takes a bundle without the coordinator when the sandbox is being stopped.
    if (lease !== 'current' && !(kind === 'bundle' && lease === 'away')) throw new Error(`the ${kind} waited in vain: ${lease}`)
  }
}

function refuseTooLarge(kind: ArtifactKind, bytes: number): void {
  if (bytes > LIMITS.artifactBytes)
    throw new Error(`the ${kind} has ${bytes} bytes; at most ${LIMITS.artifactBytes} can be stored`)
}
