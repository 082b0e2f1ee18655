import type { BranchMove, SeenTask, StoredRow } from './seen.ts'

/** What the task did to the repository: its line in the ledger once, and a branch that only ever went forward to where it is. */
export function judgeEffects(task: SeenTask, stored: StoredRow): string[] {
  const { ledgerLines, ledgerCommits, moves, tip } = task
  const faults = [...judgeMoves(moves, tip), ...judgeReports(moves, stored)]
  const least = stored.status === 'completed' ? 1 : 0
  if (ledgerLines < least) faults.push('it completed without its line in the ledger')
  if (ledgerLines > 1) faults.push(`its line is in the ledger ${ledgerLines} times`)
  if (ledgerCommits > 1) faults.push(`${ledgerCommits} commits wrote its line`)
  return faults
}

function judgeMoves(moves: readonly BranchMove[], tip: string | null): string[] {
  const faults: string[] = []
  moves.forEach(({ before, after, forward }, index) => {
    const last = moves[index - 1]?.after ?? NOTHING
    if (before !== last) faults.push(`the branch moved from ${short(before)}, and was at ${short(last)}`)
    if (!forward) faults.push(`the push of ${short(after)} took back ${short(before)}`)
  })
  const last = moves.at(-1)?.after ?? null
  if (tip !== last) faults.push(`the branch is at ${short(tip)}, and the last push brought ${short(last)}`)
  return faults
}

/** Each push that the person was told of took place, once; and each that took place was told. */
function judgeReports(moves: readonly BranchMove[], { events }: StoredRow): string[] {
  const told = events.flatMap(({ type, data }) => (type === 'branch.pushed' ? [String(data.commit)] : []))
  const made = moves.map(({ after }) => after)
  return [
    ...told
      .filter((commit, index) => told.indexOf(commit) !== index)
      .map((commit) => `the push of ${short(commit)} is told twice`),
    ...told.filter((commit) => !made.includes(commit)).map((commit) => `the push of ${short(commit)} is told and was never made`),
    ...made.filter((commit) => !told.includes(commit)).map((commit) => `the push of ${short(commit)} was made and is not told`),
  ]
}

const NOTHING = '0'.repeat(40)

function short(commit: string | null): string {
  return commit === null || commit === NOTHING ? 'nothing' : commit.slice(0, 10)
}
