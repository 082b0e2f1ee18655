import { createHash, timingSafeEqual } from 'node:crypto'
import { pipeline } from 'node:stream/promises'
import type { Express, RequestHandler } from 'express'
import * as z from 'zod'
import { HeldAttempt, LeaseRequest, RenewRequest, ResumeRequest } from '../../../contract/wire/lease.ts'
import { PROOF_HEADER, RUNNER_PATHS } from '../../../contract/wire/names.ts'
import { ArtifactKind, Behind, CONVERSATION } from '../../../contract/wire/sandbox.ts'
import { Refusal } from '../../process/errors.ts'
import type { Parts } from '../parts.ts'
import { bearerToken } from '../sign-in/authenticate.ts'

/** The calls of runners, with their own token: the lease with a task's secrets, its renewal, and bytes to store. */
export function addRunnerRoutes(app: Express, { leases, artifacts, runnerToken }: RunnerParts, readJson: RequestHandler): void {
  app.use('/runner', requireRunner(runnerToken))
  app.post(RUNNER_PATHS.lease, readJson, async (request, response) => {
    response.json(await leases.grant(LeaseRequest.parse(request.body)))
  })
  app.post(RUNNER_PATHS.renew, readJson, async (request, response) => {
    response.json(await leases.renew(RenewRequest.parse(request.body)))
  })
  app.post(RUNNER_PATHS.resume, readJson, async (request, response) => {
    response.json(await leases.resume(ResumeRequest.parse(request.body)))
  })
  const requireHolder: RequestHandler = async (request, _response, next) => {
    const { taskId, attempt } = AttemptAddress.parse(request.params)
    await leases.requireHolder(HeldAttempt.parse({ taskId, attempt, proof: request.get(PROOF_HEADER) }))
    next()
  }
  app.get('/runner/transcripts/:taskId/:attempt', requireHolder, async (request, response) => {
    const { taskId, attempt } = AttemptAddress.parse(request.params)
    response.type('application/json')
    await pipeline(await artifacts.openFor(taskId, attempt, CONVERSATION), response)
  })
  app.get('/runner/checkpoints/:taskId/:attempt', requireHolder, async (request, response) => {
    const { taskId, attempt } = AttemptAddress.parse(request.params)
    response.type('application/octet-stream')
    await pipeline(await artifacts.openFor(taskId, attempt, ['checkpoint']), response)
  })
  app.put('/runner/artifacts/:taskId/:attempt/:kind', requireHolder, async (request, response) => {
    const { taskId, attempt, kind } = ArtifactAddress.parse(request.params)
    const behind = 'from' in request.query ? Behind.parse(request.query) : undefined
    await artifacts.save(taskId, attempt, kind, request, behind)
    response.sendStatus(204)
  })
}

type RunnerParts = Pick<Parts, 'leases' | 'artifacts' | 'runnerToken'>

const AttemptAddress = z.object({ taskId: z.string().min(1).max(100), attempt: z.coerce.number().int().positive() })
const ArtifactAddress = AttemptAddress.extend({ kind: ArtifactKind })

function requireRunner(runnerToken: string): RequestHandler {
  const expected = digest(runnerToken)
  return (request, _response, next) => {
    // Digests have one length, so the comparison takes the same time for every guess.
    if (!timingSafeEqual(digest(bearerToken(request) ?? ''), expected))
      throw new Refusal('unauthorized', "The runner's token is not this coordinator's: RUNNER_TOKEN must be the same on both.")
    next()
  }
}

function digest(token: string): Buffer {
  return createHash('sha256').update(token).digest()
}
