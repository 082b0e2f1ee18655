import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { execa } from 'execa'
import { temporaryFolder } from '../support/systems/temporary.ts'
import type { LiveTask } from './task.ts'

/** What is left of a task when its turn has ended. */
export type Result = {
  status: string
  /** Why it did not complete, in words. */
  why: string
  summary: string
  /** The repository as the git host has it, bare. */
  repository: string
  branch: string
}

/** Runs a command on a folder. @returns what it printed if it failed, else null */
export type Check = (folder: string, command: string) => Promise<string | null>

/** @returns why the task does not count as a success; null if it does */
export async function judge(
  task: LiveTask,
  { status, why, summary, repository, branch }: Result,
  check: Check,
): Promise<string | null> {
  if (status !== 'completed') return `${status}: ${why}`
  const { exitCode } = await execa('git', ['-C', repository, 'rev-parse', '--verify', '--quiet', branch], { reject: false })
  const isPushed = exitCode === 0
  if ('answer' in task) {
    if (isPushed) return 'it was asked a question and pushed a change'
    const missing = task.answer.filter((word) => !word.test(summary))
    return missing.length === 0 ? null : `the answer lacks ${missing.join(' and ')}: ${summary.slice(0, 300)}`
  }
  if (!isPushed) return 'nothing was pushed'
  const folder = await temporaryFolder()
  try {
    const clone = join(folder.path, 'clone')
    await execa('git', ['clone', '--quiet', '--branch', branch, repository, clone])
    return await checkIn(clone, task, check)
  } finally {
    await folder.remove()
  }
}

/** Puts the hidden files beside the work, and runs the check on it. @returns what it printed if it failed, else null */
export async function checkIn(folder: string, task: Extract<LiveTask, { check: string }>, check: Check): Promise<string | null> {
  await writeFiles(folder, task.hidden)
  return check(folder, task.check)
}

export async function writeFiles(folder: string, files: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true })
    await writeFile(join(folder, name), text)
  }
}

const CHECK_MS = 60_000

/** Checks in a container without network: a model wrote the code that runs. @param image the sandbox's */
export function checkInContainer(image: string): Check {
  return async (folder, command) => {
    const walls = ['--network', 'none', '--cap-drop', 'ALL', '--user', '10002', '--memory', '1g', '--pids-limit', '200']
    const inside = `mkdir /tmp/work && cd /tmp/work && tar -x && exec timeout ${CHECK_MS / 1_000} ${command}`
    const tar = execa('tar', ['-C', folder, '--exclude=.git', '-c', '.'], { encoding: 'buffer' })
    const run = ['run', '--rm', '--interactive', '--init', ...walls, '--entrypoint', 'sh', image, '-c', inside]
    const { exitCode, all } = await execa('docker', run, { input: (await tar).stdout, reject: false, all: true })
    return exitCode === 0 ? null : `the hidden test failed (exit code ${exitCode}): ${all.slice(-500)}`
  }
}
