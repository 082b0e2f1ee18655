import { appendFile, mkdir, open, rm, stat } from 'node:fs/promises'
import { LIMITS } from '../../contract/api/limits.ts'
import { makeCheckpoint } from '../checkpoint/make-checkpoint.ts'
import { restoreCheckpoint } from '../checkpoint/restore-checkpoint.ts'
import { endLeftovers } from '../process/processes.ts'
import { toolEnvironment } from '../tools/environment.ts'
import { createTools } from '../tools/index.ts'
import { cleaned } from '../tools/output.ts'
import { readEnds } from '../tools/read-ends.ts'
import { readRepositoryNotes } from '../tools/reading/notes.ts'
import { commitWork, readyWork } from '../workspace/commit-work.ts'
import { createGit, type Git, must, OUTSIDE, remoteOf } from '../workspace/git.ts'
import { look } from '../workspace/look/look.ts'
import { warningsAbout } from '../workspace/look/warnings.ts'
import { restoreRepository } from '../workspace/restore.ts'
import { openWorkspace } from '../workspace/workspace.ts'
import type { HandsConfig } from './config.ts'
import type { Context } from './hands.ts'
import { type InputOf, type OperationName, type OutputOf, PIECE_BYTES } from './protocol.ts'

export type Operations = {
  [Name in OperationName]: (input: InputOf<Name>, context: Context) => Promise<OutputOf<Name>>
}

/** What the hands do when the agent asks; everything here runs as the user of the repository's code. */
export function createOperations(config: HandsConfig): Operations {
  const { workspace: directory, scratch, run } = config
  const environment = toolEnvironment(config)
  const tools = createTools({ directory, scratch, environment, run })
  const path = environment.PATH ?? '/usr/bin:/bin'
  const git = createGit({ directory, path, run })
  const outside = createGit({ directory: OUTSIDE, path, run })
  const bundle = `${scratch}/work.bundle`
  const [made, taken] = [`${scratch}/made-checkpoint.bundle`, `${scratch}/taken-checkpoint.bundle`]
  return {
    git: ({ place, args, timeoutMs, maxBytes, encoding }, { signal }) =>
      (place === 'outside' ? outside : git)(args, {
        signal,
        ...(timeoutMs === undefined ? {} : { timeoutMs }),
        ...(maxBytes === undefined ? {} : { maxBytes }),
        ...(encoding === undefined ? {} : { encoding }),
      }),
    openWorkspace: (wanted, { signal }) => openWorkspace(git, { directory, remote: remoteOf(config), ...wanted, signal }),
    look: (seen) => look(git, { directory, ...seen }),
    restoreRepository: ({ workspace }) => restoreRepository(git, directory, remoteOf(config), workspace),
    commitWork: ({ message, ...seen }) => commitWork(git, { directory, ...seen }, message),
    readyWork: ({ workspace, findings }) => readyWork(git, workspace, findings),
    repositoryNotes: async () =>
      [await readRepositoryNotes(directory), await warningsAbout(git)].filter(Boolean).join('\n\n') || null,
    tool: ({ name, input }, { signal, onOutput }) => tools.run(name, input, signal, onOutput),
    wholeOutput: ({ file }) => wholeOutput(file),
    makeBundle: async ({ refs, without }) => {
      // A bundle contains only named refs.
      for (const { branch, commit } of refs) await must(git, ['update-ref', `refs/heads/${branch}`, commit])
      await mkdir(scratch, { recursive: true })
      const names = refs.map(({ branch }) => `refs/heads/${branch}`)
      await must(git, ['bundle', 'create', '--quiet', bundle, ...names, ...(without ? [`^${without}`] : [])])
      return { bytes: (await stat(bundle)).size }
    },
    makeCheckpoint: async (wanted, { signal }) => {
      await mkdir(scratch, { recursive: true })
      const until: Git = (args, options) => git(args, { signal, ...options })
      return makeCheckpoint(until, { directory, scratch, file: made, ...wanted })
    },
    readBundle: ({ which, from }) => readPiece(which === 'work' ? bundle : made, from),
    takeCheckpoint: async ({ piece }) => {
      await mkdir(scratch, { recursive: true })
      await appendFile(taken, Buffer.from(piece, 'base64'))
      return null
    },
    restoreCheckpoint: async ({ workspace }) => {
      try {
        return await restoreCheckpoint(git, taken, workspace)
      } finally {
        await rm(taken, { force: true })
      }
    },
    endProcesses: () => endLeftovers(run),
  }
}

/** The most that a line about a gap takes, bytes. */
const GAP_BYTES = 200

async function wholeOutput(path: string): Promise<string> {
  const file = await open(path)
  try {
    return cleaned(await readEnds(file, (await file.stat()).size, LIMITS.outputBytes - 2 * GAP_BYTES))
  } finally {
    await file.close()
  }
}

/** Removes the file at its end. */
async function readPiece(path: string, from: number): Promise<string> {
  const file = await open(path)
  try {
    const { bytesRead, buffer } = await file.read({ buffer: Buffer.alloc(PIECE_BYTES), position: from })
    if (bytesRead === 0) await rm(path)
    return buffer.toString('base64', 0, bytesRead)
  } finally {
    await file.close()
  }
}
