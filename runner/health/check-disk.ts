import { rm, statfs, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { EngineFault } from '../sandbox/sandbox.ts'

/**
 * Proves that spools and doors can be written: there is room, and a file reaches the disk. The events of one attempt may take 256 MB.
 * @param floorBytes the least free space with which a runner takes turns
 * @throws EngineFault `host_disk_full`, or Error for a folder that is read-only, broken or gone
 */
export async function checkDisk(directories: readonly string[], floorBytes: number): Promise<void> {
  for (const directory of directories) {
    const { bavail, bsize } = await statfs(directory)
    const free = bavail * bsize
    if (free < floorBytes)
      throw new EngineFault(
        'host_disk_full',
        `Only ${megabytes(free)} MB are free at ${directory}; ${megabytes(floorBytes)} are needed (RUNNER_DISK_FLOOR_MB).`,
      )
    const probe = join(directory, '.probe')
    try {
      await writeFile(probe, 'x'.repeat(4096), { flush: true })
    } finally {
      await rm(probe, { force: true })
    }
  }
}

function megabytes(bytes: number): number {
  return Math.floor(bytes / 1024 / 1024)
}
