import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { execa } from 'execa'
import { LEDGER } from '../workload.ts'
import type { BranchMove, SeenTask } from './seen.ts'

type Branch = Pick<SeenTask, 'moves' | 'tip' | 'ledgerCommits' | 'ledgerLines'>

/** Reads what a task did to its branch from the bare repository itself: where it is, how it got there, and what is in the ledger. */
export async function lookAtBranch(path: string, branch: string, name: string): Promise<Branch> {
  const ref = `refs/heads/${branch}`
  const tip = (await git(path, 'rev-parse', '--verify', '--quiet', ref)) || null
  const moves = await movesOf(path, ref)
  if (tip === null) return { tip, moves, ledgerCommits: 0, ledgerLines: 0 }
  const commits = await git(path, 'log', '--format=%H', `main..${tip}`, '--', LEDGER)
  const ledger = await git(path, 'show', `${tip}:${LEDGER}`)
  return {
    tip,
    moves,
    ledgerCommits: commits.split('\n').filter(Boolean).length,
    ledgerLines: ledger.split('\n').filter((line) => line === `ledger-${name}`).length,
  }
}

/** From the file of the reflog: `<before> <after> <who> <time>\t<why>` a line. */
async function movesOf(path: string, ref: string): Promise<BranchMove[]> {
  const log = await readFile(join(path, 'logs', ref), 'utf8').catch(() => '')
  const lines = log.split('\n').filter(Boolean)
  return Promise.all(
    lines.map(async (line) => {
      const [before = '', after = ''] = line.split(' ')
      const isNew = /^0+$/.test(before)
      const forward = isNew || (await isAncestor(path, before, after))
      return { before, after, forward }
    }),
  )
}

async function isAncestor(path: string, before: string, after: string): Promise<boolean> {
  const { exitCode } = await execa('git', ['-C', path, 'merge-base', '--is-ancestor', before, after], { reject: false })
  return exitCode === 0
}

/** @returns what it prints; nothing when it fails */
async function git(path: string, ...args: string[]): Promise<string> {
  const { stdout, exitCode } = await execa('git', ['-C', path, ...args], { reject: false })
  return exitCode === 0 ? stdout : ''
}
