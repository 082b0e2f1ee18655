import { createHash } from 'node:crypto'
import { join } from 'node:path'

/** What the sockets in a runner's folder leave it of the 107 bytes that the kernel takes for one's path. */
const LONGEST_BYTES = 77

/** @returns the runner's folder below the data folder, or a short one (kept over reboots) where that path is too long for its sockets */
export function runnerFolder(dataDir: string): string {
  const folder = join(dataDir, 'runner')
  if (Buffer.byteLength(folder) <= LONGEST_BYTES) return folder
  return join('/var/tmp', `errand-runner-${createHash('sha256').update(dataDir).digest('hex').slice(0, 12)}`)
}
