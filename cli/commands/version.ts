import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import type { Context } from '../context.ts'
import { readArguments } from '../input/arguments.ts'
import { EXIT } from '../server/faults.ts'

/** `errand --version` */
export async function version(args: readonly string[], context: Context): Promise<number> {
  readArguments(args, {}, [], 'errand --version')
  const { version: number } = Package.parse(JSON.parse(readFileSync(join(context.home, 'package.json'), 'utf8')))
  context.print(`errand ${number}`)
  return EXIT.completed
}

const Package = z.object({ version: z.string() })
