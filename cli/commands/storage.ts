import { createInterface } from 'node:readline/promises'
import type { Storage } from '../../contract/api/overview.ts'
import { readArguments } from '../input/arguments.ts'
import { taskIdFor } from '../input/short-id.ts'
import type { Context } from '../server/context.ts'
import { EXIT, Fault } from '../server/faults.ts'
import { clean, clip, count } from '../show/layout.ts'

const DELETE_USAGE = 'errand delete ID [--yes]'

/** `errand delete`: deletes an ended task for good, after a question. */
export async function remove(args: readonly string[], context: Context): Promise<number> {
  const { values, given } = readArguments(args, { yes: { type: 'boolean' } } as const, ['ID'], DELETE_USAGE)
  const id = await taskIdFor(given[0] ?? '', context)
  if (!values.yes && !(await isSure(id, context))) {
    context.print('Nothing was deleted.')
    return EXIT.completed
  }
  await context.api().deleteTask(id)
  context.print('Deleted. Its branch on the git host is as it was.')
  return EXIT.completed
}

async function isSure(id: string, { stdin, stderr, api, interrupted }: Context): Promise<boolean> {
  if (!stdin.isTTY)
    throw new Fault(
      EXIT.refused,
      `This deletes the task for good. To do so without a question, add --yes.\nUsage: ${DELETE_USAGE}`,
    )
  const { prompt } = await api().findTask(id)
  const lines = createInterface({ input: stdin, output: stderr })
  try {
    const question = `Delete “${clip(clean(prompt), 60)}” with its history, outputs and patches, for good? [y/N] `
    return /^y(es)?$/i.test((await lines.question(question, { signal: interrupted })).trim())
  } finally {
    lines.close()
  }
}

/** `errand storage`: what takes the space on the server; for its admins. */
export async function storage(args: readonly string[], context: Context): Promise<number> {
  const { values } = readArguments(args, { json: { type: 'boolean' } } as const, [], 'errand storage [--json]')
  const found = await context.api().findStorage()
  context.print(values.json ? JSON.stringify(found) : describe(found).join('\n'))
  return EXIT.completed
}

function describe({ disk, database, kinds, users, limits }: Storage): string[] {
  const state = disk.low ? `less than the ${sizeOf(disk.floorBytes)} that new work needs: free some space` : 'enough for new work'
  return [
    `Disk       ${sizeOf(disk.freeBytes)} of ${sizeOf(disk.totalBytes)} free, ${state}`,
    `Database   ${sizeOf(database.bytes)}, of which ${sizeOf(database.freeBytes)} are free for new rows`,
    ...kinds.map(({ kind, bytes, files }) => `${nameOf(kind).padEnd(10)} ${sizeOf(bytes)} in ${count(files, 'file')}`),
    '',
    `Each user may store ${sizeOf(limits.userBytes)}; half of it may be outputs.`,
    ...users.map(
      ({ name, bytes, outputBytes, full }) =>
        `  ${clean(name)}: ${sizeOf(bytes)}, of which ${sizeOf(outputBytes)} are outputs${full ? '; full: they must delete tasks' : ''}`,
    ),
    `Kept: outputs ${daysOf(limits.outputDays)}, bundles ${daysOf(limits.bundleDays)}, ended tasks ${daysOf(limits.taskDays)}.`,
  ]
}

function nameOf(kind: string): string {
  return clean(kind.charAt(0).toUpperCase() + kind.slice(1))
}

function daysOf(days: number): string {
  return days === 0 ? 'for ever' : `for ${count(days, 'day')}`
}

function sizeOf(bytes: number): string {
  const mb = bytes / (1024 * 1024)
  if (mb >= 10_000) return `${(mb / 1024).toFixed(1)} GB`
  return mb >= 10 || bytes === 0 ? `${Math.round(mb)} MB` : `${Math.ceil(bytes / 1024)} KB`
}
