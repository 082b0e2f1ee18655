/** Bounds on everything that crosses a process border. Characters are UTF-16 units, as `string.length` counts them. */
export const LIMITS = {
  promptChars: 100_000,
  /** One JSON body of the API, bytes. */
  bodyBytes: 512 * 1024,
  /** One line of the sandbox's standard output, bytes. A longer line is dropped and counted as noise. */
  lineBytes: 512 * 1024,
  textChars: 60_000,
  /** One note of Errand's own to the person. */
  noteChars: 1_000,
  /** Output of one tool call as it is shown and stored; the model may see more. */
  toolOutputChars: 16_000,
  /** Input of one tool call as it is shown and stored, as JSON. */
  toolInputChars: 16_000,
  deltaChars: 8_000,
  /** Events of one attempt. A sandbox that emits more is stopped. */
  eventsPerAttempt: 50_000,
  /** One artifact, bytes. Only bundles may be this large; other kinds have smaller bounds. */
  artifactBytes: 100 * 1024 * 1024,
  /** The conversation that the next turn continues, bytes. */
  transcriptBytes: 20 * 1024 * 1024,
  /** The changes of a turn so far, as they leave the host while it runs, bytes. */
  checkpointBytes: 25 * 1024 * 1024,
  /** The stored whole output of one tool call, bytes, and how many of them an attempt may store. */
  outputBytes: 5 * 1024 * 1024,
  outputsPerAttempt: 500,
  /** The patch that the API serves, bytes; a larger one is cut at a file border and says so. */
  patchBytes: 5 * 1024 * 1024,
  /** Events that a runner may have sent without an acknowledgement, per attempt. */
  unacknowledgedEvents: 500,
  /** Events in one page of the history, and the bytes of data at which a page ends early. */
  eventsPerPage: 1000,
  pageBytes: 4 * 1024 * 1024,
  /** One Socket.IO message from a client, bytes. */
  socketBytes: 512 * 1024,
} as const
