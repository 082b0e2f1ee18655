import type { IncomingMessage, ServerResponse } from 'node:http'
import { join } from 'node:path'
import type { Logger } from 'pino'
import { gitHttp } from './git-http.ts'
import { modelApi } from './model.ts'
import { ensureRepository } from './repository.ts'

export type Demo = {
  /** Serves the model API; mount it at `/demo/model`, before anything that reads a body. */
  handleModel: (request: IncomingMessage, response: ServerResponse) => Promise<void>
  /** Serves git's smart HTTP; mount it at `/demo/git`, before anything that reads a body. */
  handleGit: (request: IncomingMessage, response: ServerResponse) => Promise<void>
  gitUsername: string
  gitToken: string
  modelKey: string
  repoPath: '/demo/git/hello.git'
}

export type DemoOptions = {
  dataDir: string
  /** Returns this server's secret for one purpose, the same at every start. */
  deriveKey: (purpose: string) => Buffer
  log: Logger
  /** Pause between two pieces of the model's text, milliseconds. */
  paceMs?: number
}

/**
 * A model that follows a script, and a repository to try it on: all of Errand without a key, an account or the internet. Neither handler
 * rejects; a fault of the server is answered with 500 and logged.
 */
export async function createDemo({ dataDir, deriveKey, log, paceMs = 20 }: DemoOptions): Promise<Demo> {
  const modelKey = `demo-${deriveKey('demo-model').toString('hex')}`
  const gitUsername = 'errand'
  const gitToken = deriveKey('demo-git').toString('hex')
  const root = join(dataDir, 'demo')
  return {
    handleModel: modelApi({ key: modelKey, paceMs, log }),
    handleGit: gitHttp({ root, username: gitUsername, token: gitToken, log, ready: onceItWorks(() => ensureRepository(root)) }),
    gitUsername,
    gitToken,
    modelKey,
    repoPath: '/demo/git/hello.git',
  }
}

/** Concurrent callers share one run. After a failure the next caller tries again. */
function onceItWorks(make: () => Promise<void>): () => Promise<void> {
  let made: Promise<void> | null = null
  return () => {
    made ??= make().catch((error: unknown) => {
      made = null
      throw error
    })
    return made
  }
}
