import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import circus from 'jest-circus/runner'

/**
 * What keeps a process alive until somebody closes it, in Node's words. Requests to files and name servers end by themselves, and so do most
 * timers: those of packages may run on for a minute after a close.
 */
const KEEPERS = [
  'TCPServerWrap',
  'TCPSocketWrap',
  'TLSWrap',
  'PipeWrap',
  'PipeServerWrap',
  'UDPWrap',
  'ProcessWrap',
  'FSEventWrap',
  'StatWatcher',
  'MessagePort',
  'Worker',
]
/** Something that was told to close may take a moment, on a busy machine several seconds. */
const PATIENCE_MS = 10_000

/**
 * Runs a test file as Jest's own runner does. A file whose tests passed then fails if it left something open: it would keep the process
 * alive. What is open already when it begins, as Jest's own channels are, does not count, nor does what lets the process end.
 */
export default async function runFile(...given) {
  // Node opens these at their first use, and packages use them.
  void [process.stdin, process.stdout, process.stderr]
  const before = { counts: countsNow(), handles: new Set(handlesNow()) }
  const result = await circus.default(...given)
  if (result.numFailingTests > 0 || result.testExecError) return result
  const deadline = performance.now() + PATIENCE_MS
  while (moreThan(before.counts).length > 0 && performance.now() < deadline) {
    // The socket of an answer that nobody read closes when the answer is collected.
    collectGarbage()
    await new Promise((done) => setTimeout(done, 50))
  }
  const kinds = moreThan(before.counts)
  return kinds.length === 0 ? result : failed(result, kinds, before.handles)
}

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc')

function countsNow() {
  const counts = new Map()
  for (const kind of process.getActiveResourcesInfo()) counts.set(kind, (counts.get(kind) ?? 0) + 1)
  return counts
}

/** @returns {string[]} the kinds of which more is open than before */
function moreThan(before) {
  const now = countsNow()
  return KEEPERS.filter((kind) => (now.get(kind) ?? 0) > (before.get(kind) ?? 0))
}

/** For the names alone: Node does not document it. */
function handlesNow() {
  return process._getActiveHandles?.() ?? []
}

function failed(result, kinds, before) {
  const title = 'leaves nothing open'
  const handles = handlesNow().filter((handle) => !before.has(handle))
  const message = [
    `This file left something open that keeps the process alive: ${kinds.join(', ')}.`,
    ...handles.map((handle) => `  ${nameOf(handle)}`),
  ].join('\n')
  const assertion = {
    ancestorTitles: [],
    title,
    fullName: title,
    status: 'failed',
    duration: null,
    failureDetails: [],
    failureMessages: [message],
    invocations: 1,
    location: null,
    numPassingAsserts: 0,
    retryReasons: [],
  }
  return {
    ...result,
    numFailingTests: result.numFailingTests + 1,
    testResults: [...result.testResults, assertion],
    failureMessage: `${result.failureMessage ?? ''}  ● ${title}\n\n    ${message.replaceAll('\n', '\n    ')}\n`,
  }
}

function nameOf(handle) {
  const kind = handle.constructor?.name ?? 'a handle'
  if (kind === 'ChildProcess') return `child process ${handle.pid}: ${(handle.spawnargs ?? []).join(' ').slice(0, 200)}`
  if (kind === 'Server') return `server on ${placeOf(handle.address?.())}`
  if (handle.remotePort) return `${kind} from port ${handle.localPort} to ${handle.remoteAddress}:${handle.remotePort}`
  return kind
}

function placeOf(address) {
  return typeof address === 'object' && address ? `${address.address}:${address.port}` : String(address)
}
