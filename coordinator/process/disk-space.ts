import { statfs } from 'node:fs/promises'

/** What is free where this server stores its data, bytes. `low`: less than the floor, so no new work begins. */
export type DiskState = { freeBytes: number; totalBytes: number; floorBytes: number; low: boolean }

export type DiskSpace = {
  /** Asks the file system at most once a second. Of several disks, the one with the least room above its floor counts. */
  look: () => Promise<DiskState>
}

const LOOK_EVERY_MS = 1_000

/** The floor takes no more of a small disk than this share. */
const MOST_OF_DISK = 0.25

/** @param folders where data is stored; they may be on different disks */
export function createDiskSpace(folders: readonly string[], floorBytes: number, everyMs: number = LOOK_EVERY_MS): DiskSpace {
  let last: { at: number; state: Promise<DiskState> } | null = null
  return {
    look: () => {
      const now = performance.now()
      if (last === null || now - last.at >= everyMs) last = { at: now, state: lookAt(folders, floorBytes) }
      return last.state
    },
  }
}

async function lookAt(folders: readonly string[], wantedFloor: number): Promise<DiskState> {
  const states = await Promise.all(folders.map((folder) => stateOf(folder, wantedFloor)))
  return states.reduce((a, b) => (b.freeBytes - b.floorBytes < a.freeBytes - a.floorBytes ? b : a))
}

async function stateOf(folder: string, wantedFloor: number): Promise<DiskState> {
  const { bavail, blocks, bsize } = await statfs(folder)
  const totalBytes = blocks * bsize
  const floorBytes = Math.min(wantedFloor, Math.floor(totalBytes * MOST_OF_DISK))
  // Some network file systems do not say how large they are.
  const freeBytes = totalBytes === 0 ? Number.MAX_SAFE_INTEGER : bavail * bsize
  return { freeBytes, totalBytes, floorBytes, low: freeBytes < floorBytes }
}
