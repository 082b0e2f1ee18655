import { MAX_FILE_BYTES } from '../changes.ts'
import { type Finding, type FindingKind, named } from './finding.ts'

type Rule = {
  /** Words for the model before the work is handed over; null when it need not know. */
  model: ((paths: string, finding: Finding) => string) | null
  /** Words for the person when it is still so at the end; null when the person sees it anyway. */
  person: ((paths: string, finding: Finding) => string) | null
  /** Whether the paths stay out of the commit. */
  leftOut: boolean
  /** Whether the model is asked again when it ends its turn without a change; everything else it hears once. */
  insists?: true
  /** Whether the person asked for it in vain when nothing else was delivered. */
  isWork?: true
}

const MEGABYTES = MAX_FILE_BYTES / 1024 / 1024

/** What each finding means. The order is the order of the sentences. */
const RULES: Readonly<Record<FindingKind, Rule>> = {
  repository: {
    model: (_, { detail }) => REPOSITORY[detail ?? '']?.model ?? '',
    person: (_, { detail }) => REPOSITORY[detail ?? '']?.person ?? '',
    leftOut: false,
  },
  conflict: {
    model: (paths) =>
      `These files are still in conflict: ${paths}. Resolve each, remove the marker lines and \`git add\` it. If you cannot, undo the merge (\`git merge --abort\`) and say so. A merge with conflicts in it is not delivered.`,
    person: (paths) => `The merge is not finished. Still in conflict: ${paths}.`,
    leftOut: false,
    insists: true,
    isWork: true,
  },
  markers: {
    model: (paths) => `These files have lines that look like conflict markers: ${paths}. Remove them unless they belong there.`,
    person: (paths) => `Lines that look like conflict markers are in ${paths}.`,
    leftOut: false,
  },
  submodule: {
    model: (paths) =>
      `These files are below a submodule that is not checked out: ${paths}. They cannot be delivered, because a submodule's files belong to another repository. Do what you can in this repository, delete them, and say in your last message what is missing.`,
    person: (paths) => `Left out, because these files are below a submodule, which belongs to another repository: ${paths}.`,
    leftOut: false,
    insists: true,
    isWork: true,
  },
  'submodule-work': {
    model: (paths) =>
      `The submodule ${paths} has changes. They cannot be delivered, because they belong to another repository. Undo them, or say in your last message what is missing.`,
    person: (paths) => `Left out: changes inside the submodule ${paths}, which belongs to another repository.`,
    leftOut: false,
    isWork: true,
  },
  nested: {
    model: (paths, { detail }) =>
      `${paths} is a git repository of its own inside this one. Its files (${detail}) will be delivered as plain files, without its history. Delete it if it does not belong here.`,
    person: (paths) => `Delivered as plain files, without the git history of their own: ${paths}.`,
    leftOut: false,
  },
  'second-tree': {
    model: (paths) =>
      `The second work tree ${paths} has changes that are not committed, and only its commits are delivered. Commit them on its branch, or bring them over.`,
    person: (paths) => `Left out: changes in a second work tree (${paths}) that were not committed there.`,
    leftOut: false,
    isWork: true,
  },
  secret: {
    model: (paths, { detail }) =>
      `These files hold ${detail} and are never pushed: ${paths}. Take the secret out, or keep only an example without one (such as .env.example).`,
    person: (paths, { detail }) => `Left out, because it looks like ${detail}: ${paths}.`,
    leftOut: true,
    isWork: true,
  },
  filter: {
    model: (paths, { detail }) =>
      `These files need the git filter "${detail}", which this machine does not have: ${paths}. Without it they would be pushed in the wrong form, so they are left out. Do without changing them, and say so in your last message.`,
    person: (paths, { detail }) =>
      `Left out, because the repository's git filter "${detail}" is missing in the sandbox, and without it they would be pushed ${detail === 'git-crypt' ? 'unencrypted' : 'in the wrong form'}: ${paths}.`,
    leftOut: true,
    isWork: true,
  },
  installed: {
    model: (paths) => `Installed packages are never pushed: ${paths}. Add them to .gitignore or delete them.`,
    person: (paths) => `Left out: installed packages (${paths}).`,
    leftOut: true,
  },
  link: {
    model: (paths) =>
      `These links lead out of the repository, and nowhere on another machine: ${paths}. They will be left out. Delete them, or make them relative to a file of the repository.`,
    person: (paths) => `Left out, because these links lead out of the repository: ${paths}.`,
    leftOut: true,
  },
  huge: {
    model: (paths) => `These new files are larger than ${MEGABYTES} MB and will be left out: ${paths}.`,
    // The commit itself leaves them out, and says so.
    person: null,
    leftOut: true,
    isWork: true,
  },
  ignored: {
    model: (paths) =>
      `git ignores these files, so they will not be delivered: ${paths}. If the task asks for one, add it with \`git add -f\`. If not, leave it.`,
    person: (paths) => `Left out, because the repository's .gitignore covers it: ${paths}.`,
    leftOut: false,
    isWork: true,
  },
  scratch: {
    model: (paths) => `These new files look like leftovers: ${paths}.`,
    person: (paths) => `These new files look like leftovers: ${paths}.`,
    leftOut: false,
  },
  only: {
    model: (paths) => `A test runs alone (.only), which switches the others off: ${paths}.`,
    person: (paths) => `A test runs alone (.only) and switches the others off: ${paths}.`,
    leftOut: false,
  },
  many: { model: (_, { detail }) => `${detail} new files would be committed. Is that intended?`, person: null, leftOut: false },
  untested: {
    model: (paths) => `You changed ${paths} after the last command that you ran. Run the checks again.`,
    person: (paths) => `No command was run after the last change of ${paths}.`,
    leftOut: false,
  },
  dirty: {
    model: null,
    person: (paths) => `Not touched, although git shows it as changed right after the checkout (line ends): ${paths}.`,
    leftOut: true,
  },
  unseen: { model: null, person: null, leftOut: false },
}

const REPOSITORY: Readonly<Record<string, { model: string; person: string }>> = {
  removed: {
    model:
      'The .git folder is gone. Your files will be committed on top of the branch as it was at the beginning of the turn; commits that were only in that folder are lost.',
    person:
      'The agent deleted the .git folder of the repository. Its files are saved on top of the branch as it was; commits of its own were lost with that folder.',
  },
  replaced: {
    model:
      'The .git folder is not the one that was cloned. Your files will be committed on top of the branch as it was at the beginning of the turn; the commits in the new folder are not delivered.',
    person:
      "The agent replaced the .git folder of the repository by a new one. Its files are saved on top of the branch as it was; the new folder's commits are left out.",
  },
  unrelated: {
    model:
      'Your commits do not descend from the branch. Their files will be committed on top of it as it was at the beginning of the turn.',
    person: "The agent's commits did not descend from the branch. Their files are saved as one commit on top of it.",
  },
}

const ORDER = Object.keys(RULES) as FindingKind[]

/** A problem for the model: `key` tells it from others, `insists` whether it starts a further round. */
export type Problem = { key: string; text: string; insists: boolean }

/** Pure. @returns what the model is told before the work is handed over */
export function problemsOf(findings: readonly Finding[]): Problem[] {
  return inOrder(findings).flatMap((finding) => {
    const { model, insists = false } = RULES[finding.kind]
    if (model === null) return []
    return [{ key: `${finding.kind} ${finding.paths.join('\0')}`, text: model(named(finding.paths), finding), insists }]
  })
}

/** Pure. @returns what the person is told when it is still so at the end; empty for nothing */
export function notesOf(findings: readonly Finding[]): string[] {
  return inOrder(findings).flatMap((finding) => RULES[finding.kind].person?.(named(finding.paths), finding) ?? [])
}

/** Pure. @returns the paths that stay out of the commit */
export function leftOutOf(findings: readonly Finding[]): string[] {
  return findings.filter(({ kind }) => RULES[kind].leftOut).flatMap(({ paths }) => paths)
}

/** Pure. Whether work of the turn stays in the sandbox: then a turn that delivers nothing is not done. */
export function keepsWorkBack(findings: readonly Finding[]): boolean {
  return findings.some(({ kind, detail }) => RULES[kind].isWork === true && (kind !== 'ignored' || detail === 'written'))
}

function inOrder(findings: readonly Finding[]): Finding[] {
  return [...findings].sort((one, other) => ORDER.indexOf(one.kind) - ORDER.indexOf(other.kind))
}
