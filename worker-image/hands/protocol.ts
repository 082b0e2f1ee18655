import * as z from 'zod'
import { LIMITS } from '../../contract/api/limits.ts'
import { Reason } from '../../contract/api/reason.ts'
import { Outcome } from '../../contract/api/status.ts'
import { RestoredCheckpoint } from '../checkpoint/state.ts'
import { FINDING_KINDS } from '../workspace/look/finding.ts'

/** The most bytes of one line between the agent and its hands. */
export const LINE_BYTES = 64 * 1024 * 1024

/** The most bytes of one piece of a file. */
export const PIECE_BYTES = 1024 * 1024

const GitResult = z.object({ code: z.number().int().nullable(), stdout: z.string(), stderr: z.string(), cut: z.boolean() })

const End = z.object({ outcome: Outcome, reason: Reason, message: z.string().nullable() })

/** What the checkout made, as {@link Workspace} has it. */
export const WorkspaceState = z.object({
  baseBranch: z.string(),
  base: z.string(),
  branch: z.string(),
  remoteCommit: z.string().nullable(),
  resumed: z.boolean(),
  turnBase: z.string(),
})

const Touched = { written: z.array(z.string()).readonly(), untested: z.array(z.string()).readonly() }

const Finding = z.object({
  kind: z.enum(FINDING_KINDS),
  paths: z.array(z.string()).readonly(),
  detail: z.string().nullable(),
})

const ToolResult = z.object({
  ok: z.boolean(),
  text: z.string(),
  output: z.string().exactOptional(),
  note: z.string().exactOptional(),
  cutOff: z.boolean().exactOptional(),
  image: z
    .object({
      type: z.literal('image'),
      source: z.object({
        type: z.literal('base64'),
        media_type: z.enum(['image/png', 'image/jpeg', 'image/gif', 'image/webp']),
        data: z.string(),
      }),
    })
    .exactOptional(),
  exitCode: z.number().int().nullable().exactOptional(),
  outputBytes: z.number().nonnegative().exactOptional(),
  wholeFile: z.string().exactOptional(),
})

/** What the hands can be asked to do. Whatever they answer is hostile: the repository's code runs as the same user. */
export const OPERATIONS = {
  /** git in the work tree, or away from every repository. */
  git: {
    input: z.object({
      place: z.enum(['workspace', 'outside']),
      args: z.array(z.string()),
      timeoutMs: z.number().exactOptional(),
      maxBytes: z.number().exactOptional(),
      encoding: z.enum(['utf8', 'latin1']).exactOptional(),
    }),
    output: GitResult,
  },
  /** Clones the repository and checks the branch out. */
  openWorkspace: {
    input: z.object({ baseBranch: z.string().nullable(), branch: z.string(), turnBase: z.string().nullable() }),
    output: z.discriminatedUnion('ok', [
      z.object({ ok: z.literal(true), workspace: WorkspaceState }),
      z.object({ ok: z.literal(false), end: End }),
    ]),
  },
  /** Looks at the whole work tree as the turn leaves it. */
  look: {
    input: z.object({ workspace: WorkspaceState.pick({ turnBase: true, baseBranch: true }), ...Touched }),
    output: z.object({ findings: z.array(Finding), isChanged: z.boolean() }),
  },
  /** Brings back a `.git` that a command removed or replaced. */
  restoreRepository: {
    input: z.object({ workspace: WorkspaceState }),
    output: z.discriminatedUnion('state', [
      z.object({ state: z.enum(['intact', 'removed', 'replaced']) }),
      z.object({ state: z.literal('lost'), message: z.string() }),
    ]),
  },
  /** Commits the work as it may be delivered. */
  commitWork: {
    input: z.object({ workspace: WorkspaceState, ...Touched, message: z.string() }),
    output: z.object({
      findings: z.array(Finding),
      note: z.string().nullable(),
      failure: z.object({ code: z.number().nullable(), stderr: z.string() }).nullable(),
    }),
  },
  /** Finds the commits of the turn, and makes each fit to be pushed. */
  readyWork: {
    input: z.object({ workspace: WorkspaceState, findings: z.array(Finding) }),
    output: z.object({
      work: z.object({
        tip: z.string().nullable(),
        asides: z
          .array(z.object({ branch: z.string(), commit: z.string(), what: z.enum(['own', 'other', 'unfinished']) }))
          .readonly(),
        more: z.array(z.string()).readonly(),
      }),
      findings: z.array(Finding),
      unsafe: z.string().nullable(),
    }),
  },
  /** The repository's notes for agents, and what it needs that this sandbox does not have. */
  repositoryNotes: { input: z.object({}), output: z.string().nullable() },
  /** Runs one of the model's tools. */
  tool: { input: z.object({ name: z.string(), input: z.unknown() }), output: ToolResult },
  /** The whole output of a command, clean; of a longer one its two ends. */
  wholeOutput: { input: z.object({ file: z.string() }), output: z.string().max(LIMITS.outputBytes) },
  /** Makes a git bundle of commits. @returns the file's size */
  makeBundle: {
    input: z.object({ refs: z.array(z.object({ branch: z.string(), commit: z.string() })), without: z.string().nullable() }),
    output: z.object({ bytes: z.number().int().nonnegative() }),
  },
  /** Writes a bundle of the work tree as it is now; null if it is the one with this key, or as the turn found it. */
  makeCheckpoint: {
    input: z.object({ workspace: WorkspaceState, unless: z.string().nullable() }),
    output: z.object({ key: z.string(), commit: z.string().regex(/^[0-9a-f]{40,64}$/), bytes: z.number().int() }).nullable(),
  },
  /** A piece of a bundle, base64; empty at its end. */
  readBundle: {
    input: z.object({ which: z.enum(['work', 'checkpoint']), from: z.number().int() }),
    output: z.string().max(2 * PIECE_BYTES),
  },
  /** Adds a piece, base64, to the checkpoint of a lost host. */
  takeCheckpoint: { input: z.object({ piece: z.string().max(2 * PIECE_BYTES) }), output: z.null() },
  /** Brings that checkpoint into the work tree that was just cloned. */
  restoreCheckpoint: { input: z.object({ workspace: WorkspaceState }), output: RestoredCheckpoint },
  /** Ends everything that commands left running. @returns how many processes there were */
  endProcesses: { input: z.object({}), output: z.number().int() },
} as const

export type OperationName = keyof typeof OPERATIONS
export type InputOf<Name extends OperationName> = z.infer<(typeof OPERATIONS)[Name]['input']>
export type OutputOf<Name extends OperationName> = z.infer<(typeof OPERATIONS)[Name]['output']>
