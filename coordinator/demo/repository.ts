import { access, mkdir, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { execa } from 'execa'
import { ROOT_FOLDER } from '../process/root-folder.ts'

export const REPOSITORY_NAME = 'hello.git'

const TEMPLATE = join(ROOT_FOLDER, 'coordinator/demo/template')

/** Oldest first. Times and author are fixed, so that every demo repository has the same first commit ids. */
const HISTORY = [
  {
    subject: 'Greetings in English and German',
    at: '1767258000 +0000',
    files: ['package.json', 'README.md', 'AGENTS.md', 'src/greetings.js'],
  },
  {
    subject: 'Greet by the hour',
    at: '1767344400 +0000',
    files: ['src/part-of-day.js', 'src/greet.js', 'test/greet.test.js'],
  },
  { subject: 'Tests for the edges of the day', at: '1767430800 +0000', files: ['test/part-of-day.test.js'] },
]

/**
 * Makes the bare demo repository below `root` if it is missing. It appears whole or not at all.
 * @throws Error when git is missing or the folder cannot be written
 */
export async function ensureRepository(root: string): Promise<void> {
  const path = join(root, REPOSITORY_NAME)
  if (await exists(path)) return
  const making = join(root, `${REPOSITORY_NAME}.${process.pid}.part`)
  await rm(making, { recursive: true, force: true })
  await mkdir(root, { recursive: true })
  await git(root, ['init', '--quiet', '--bare', '--initial-branch=main', making])
  for (const [name, value] of SETTINGS) await git(making, ['config', name, value])
  await git(making, ['fast-import', '--quiet'], await importStream())
  await rename(making, path)
}

/** Pushes are allowed, and no work goes on in the background after one. */
const SETTINGS = [
  ['http.receivepack', 'true'],
  ['receive.autogc', 'false'],
  ['gc.auto', '0'],
  ['uploadpack.allowFilter', 'true'],
] as const

/** The history in the language of `git fast-import`: one process, no work tree. */
async function importStream(): Promise<string> {
  const commits = await Promise.all(
    HISTORY.map(async ({ subject, at, files }) => {
      const contents = await Promise.all(files.map((file) => readFile(join(TEMPLATE, file), 'utf8')))
      const changes = files.map((file, i) => `M 100644 inline ${file}\n${data(contents[i] ?? '')}`)
      return `commit refs/heads/main\ncommitter Errand Demo <demo@errand.invalid> ${at}\n${data(subject)}${changes.join('')}`
    }),
  )
  return `${commits.join('\n')}\ndone\n`
}

function data(text: string): string {
  return `data ${Buffer.byteLength(text)}\n${text}\n`
}

function git(folder: string, args: string[], input = ''): Promise<unknown> {
  return execa('git', args, { cwd: folder, input, env: WITHOUT_CALLERS_REPOSITORY })
}

/** A server that was started from a git hook or alias would otherwise pass on its own repository. */
export const WITHOUT_CALLERS_REPOSITORY = {
  GIT_DIR: undefined,
  GIT_WORK_TREE: undefined,
  GIT_INDEX_FILE: undefined,
  GIT_OBJECT_DIRECTORY: undefined,
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}
