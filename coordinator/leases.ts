import type { LeaseAnswer, LeaseRequest, RenewAnswer, RenewRequest } from '../contract/lease.ts'

/** The coordinator's word to runners about who works on what. */
export type Leases = {
  grant: (request: LeaseRequest) => Promise<LeaseAnswer>
  /** Also the runner's heartbeat. */
  renew: (request: RenewRequest) => Promise<RenewAnswer>
}
