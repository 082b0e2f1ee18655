/** A replacement of text that is there once, or a new file. */
export type Edit = { file: string; old?: string; new: string }

/** One task of the live suite: a repository, what a person asks for, and how the answer is judged. */
export type LiveTask = {
  name: string
  prompt: string
  /** All that the agent sees. */
  files: Readonly<Record<string, string>>
  /** What the scripted model does, and proof that the task can be done: the edits, and the command it runs after them. */
  solution: readonly Edit[]
  verify: string
  /** What the scripted model does first; `verify` fails after it. */
  firstTry?: Edit
} & (
  | {
      /** Files that are put beside the work afterwards, and the command that judges it: exit code 0 is a success. */
      hidden: Readonly<Record<string, string>>
      check: string
    }
  /** The task is a question: nothing may be pushed, and the summary has all of these. */
  | { answer: readonly RegExp[] }
)

/** @returns the files after an edit. @throws Error unless what is replaced is there once */
export function edited(files: Readonly<Record<string, string>>, { file, old, new: text }: Edit): Record<string, string> {
  const before = files[file]
  if (old === undefined && before === undefined) return { ...files, [file]: text }
  if (old === undefined || before?.split(old).length !== 2) throw new Error(`${file} does not have this text once: ${old}`)
  return { ...files, [file]: before.replace(old, () => text) }
}
