import { type FileHandle, mkdir, open, readdir, rm, stat, writeFile } from 'node:fs/promises'

/** The files for outputs of commands, in which the model can read further, and for the commands themselves. */
export type Spills = {
  /** Opens a file for the output of a new command. The oldest ones go when all together become too large. */
  open: (command: string) => Promise<Spill>
}

export type Spill = {
  /** Where the output goes. */
  path: string
  file: FileHandle
  /** The file with the command, and the one in which its shell notes its directory. */
  commandPath: string
  cwdPath: string
  /** Closes the output's file, which stays, and removes the other two. */
  close: () => Promise<void>
}

/** One output is bounded by its command's guard; so many of the largest fit. */
const KEPT_BYTES = 96 * 1024 * 1024

/** @param directory of a disk of its own, so that outputs fill neither the work tree nor the conversation's place */
export function createSpills(directory: string, keptBytes = KEPT_BYTES): Spills {
  let count = 0
  let closed: Kept[] | null = null
  const makeRoom = async () => {
    await mkdir(directory, { recursive: true })
    if (!closed) {
      closed = await earlierOutputs(directory)
      count = closed.at(-1)?.number ?? 0
    }
    let bytes = closed.reduce((sum, spill) => sum + spill.bytes, 0)
    while (bytes > keptBytes) {
      const oldest = closed.shift()
      if (!oldest) return
      bytes -= oldest.bytes
      await rm(oldest.path, { force: true })
    }
  }
  return {
    open: async (command) => {
      await makeRoom()
      count += 1
      const number = count
      const [path, commandPath, cwdPath] = ['log', 'sh', 'cwd'].map((kind) => `${directory}/${count}.${kind}`) as [
        string,
        string,
        string,
      ]
      await writeFile(commandPath, command)
      const file = await open(path, 'a+')
      return {
        path,
        file,
        commandPath,
        cwdPath,
        close: async () => {
          closed?.push({ number, path, bytes: (await file.stat()).size })
          await file.close()
          await Promise.all([rm(commandPath, { force: true }), rm(cwdPath, { force: true })])
        },
      }
    },
  }
}

type Kept = { number: number; path: string; bytes: number }

/** What hands that were killed left behind: the model may still read it, and it counts. @returns the oldest first */
async function earlierOutputs(directory: string): Promise<Kept[]> {
  const numbers = (await readdir(directory)).flatMap((name) => /^(\d+)\.log$/.exec(name)?.[1] ?? []).map(Number)
  const sorted = numbers.sort((a, b) => a - b)
  return Promise.all(
    sorted.map(async (number) => {
      const path = `${directory}/${number}.log`
      return { number, path, bytes: (await stat(path)).size }
    }),
  )
}
