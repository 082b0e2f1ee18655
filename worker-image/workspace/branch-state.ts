import { bounded } from '../tools/output.ts'
import type { Git } from './git.ts'

const STATUS_CHARS = 4_000
const STAT_CHARS = 4_000
const LOG_CHARS = 2_000

const NO_ANSWER = { code: null, cut: false, stdout: '' }

/**
 * What a person would look at first in a work tree: uncommitted files, what has changed since the base, and the commits since then.
 * Never throws: a part that git cannot tell is left out.
 * @param base the commit or tree that the work is compared with
 */
export async function describeBranch(git: Git, base: string): Promise<string> {
  const limits = { timeoutMs: 20_000, maxBytes: 256 * 1024 }
  const ask = async (args: readonly string[], chars: number) => {
    const { code, cut, stdout } = await git(args, limits).catch(() => NO_ANSWER)
    return code === 0 || cut ? bounded(stdout.trimEnd(), chars) : null
  }
  const status = await ask(['status', '--short', '--branch'], STATUS_CHARS)
  const stat = await ask(['diff', '--stat=120', '--no-ext-diff', '--no-textconv', base, '--'], STAT_CHARS)
  const log = await ask(['log', '--oneline', '--no-decorate', '-20', 'HEAD', '--not', base, '--'], LOG_CHARS)
  return [
    part('git status --short --branch', status),
    part(`git diff --stat ${base.slice(0, 12)}`, stat),
    part(`git log --oneline ${base.slice(0, 12)}..HEAD`, log),
  ]
    .filter(Boolean)
    .join('\n\n')
}

function part(command: string, output: string | null): string {
  return output === null ? '' : `$ ${command}\n${output || '(nothing)'}`
}
