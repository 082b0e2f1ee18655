import { lastText } from '../../contract/api/tool-output.ts'
import { cutText } from '../../contract/shared/characters.ts'
import { type End, failed } from '../../contract/wire/end.ts'
import type { GitResult } from './git.ts'

const DISK_FULL = /No space left on device|Out of diskspace|Disk quota exceeded/i
/** git gives no cause for these; in a work tree of our own there is one that can be expected. */
const CANNOT_WRITE = /unable to (write|create) (file|new index|temporary file)|write error/
const WORDS_CHARS = 1000

type Failed = Pick<GitResult, 'code' | 'stderr'>

/**
 * Reads why a call to the git host failed: git's own messages, which are stable under LC_MESSAGES=C, and the statuses that the gateway
 * relays.
 */
export function fault({ code, stderr }: Failed): End {
  const words = plainWords(stderr)
  if (DISK_FULL.test(stderr)) return failed('out_of_disk', diskWords(stderr))
  if (/repository '.*' not found|returned error: 404|does not appear to be a git repository|does not exist/.test(stderr))
    return failed('repository_not_found', hostsWords(stderr) || words)
  if (/could not read (Username|Password)|Authentication failed|returned error: 40[13]/.test(stderr))
    return failed('credentials_refused', words)
  return failed('git_unavailable', words || endedWith(code))
}

/** Reads why a checkout failed: everything was fetched by then, so it is never the git host's fault. */
export function checkoutFault({ code, stderr }: Failed): End {
  if (DISK_FULL.test(stderr) || CANNOT_WRITE.test(stderr)) return failed('out_of_disk', diskWords(stderr))
  return failed('checkout_failed', plainWords(stderr) || endedWith(code))
}

/** Reads why nothing could be committed: whatever it is, it happened in the sandbox. */
export function commitFault({ code, stderr }: Failed): End {
  if (DISK_FULL.test(stderr)) return failed('out_of_disk', diskWords(stderr))
  return failed('commit_failed', plainWords(stderr) || endedWith(code))
}

/** @returns git's last words for a person: without the address of the door, which exists only in the sandbox */
export function plainWords(stderr: string): string {
  const lines = stderr.split('\n').filter((line) => !/^(To |hint: |error: failed to push some refs)/.test(line))
  const words = lines
    .join('\n')
    .replace(/^remote: /gm, '')
    .replaceAll(/'?https?:\/\/127\.0\.0\.1[^\s']*'?/g, 'the git host')
    .trim()
  return lastText(words, WORDS_CHARS)
}

/** The line that names the disk, and not the hundreds that may follow it. */
function diskWords(stderr: string): string {
  const lines = stderr.split('\n')
  return cutText(lines.find((line) => DISK_FULL.test(line)) ?? lines.find((line) => CANNOT_WRITE.test(line)) ?? '', WORDS_CHARS)
}

function endedWith(code: number | null): string {
  return `git ended with ${code === null ? 'a signal' : `code ${code}`}`
}

/** The message of the git host or the gateway for a person. git's own line names an address that exists only in the sandbox. */
function hostsWords(stderr: string): string {
  return [...lastText(stderr, WORDS_CHARS).matchAll(/^remote: (.*\S)/gm)].map(([, line]) => line).join(' ')
}
