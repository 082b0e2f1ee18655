import { rm, statfs, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { EngineFault } from '../sandbox/sandbox.ts'

/** With less free space a runner takes no turns: just the events of an attempt may need more. */
const FREE_BYTES = 64 * 1024 * 1024

/**
 * Proves that spools and doors can be written: there is room, and a file reaches the disk.
 * @throws EngineFault `host_disk_full`, or Error for a folder that is read-only, broken or gone
 */
export async function checkDisk(directories: readonly string[], freeBytes: number = FREE_BYTES): Promise<void> {
  for (const directory of directories) {
    const { bavail, bsize } = await statfs(directory)
    const free = bavail * bsize
    if (free < freeBytes)
      throw new EngineFault(
        'host_disk_full',
        `Only ${megabytes(free)} MB are free at ${directory}; ${megabytes(freeBytes)} are needed.`,
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
