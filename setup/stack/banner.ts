import { DEFAULT_MODEL } from '../../contract/shared/models.ts'

export type Facts = Readonly<{
  url: string
  link: string
  /** The QR code of the link, or why it has none. */
  linkNotes: readonly string[]
  hasModelKey: boolean
  model: string | null
  slots: string
  redis: string
  docker: string
  image: string
  dataDir: string
}>

/** The indent of the notes on the link, in columns. */
export const INDENT = 2

/** The text at the end of `npm start`: where to go, what runs, and what to try. */
export function banner(facts: Facts): string {
  return [
    '',
    `  Errand runs at ${facts.url}`,
    '',
    '  Sign in (this link works once):',
    `  ${facts.link}`,
    '',
    ...facts.linkNotes.map((line) => ' '.repeat(INDENT) + line),
    '',
    `  model    ${facts.hasModelKey ? (facts.model ?? DEFAULT_MODEL) : 'the built-in demo model, not Claude (set ANTHROPIC_API_KEY to change that)'}`,
    `  runner   ${facts.slots}, image ${facts.image}`,
    `  Docker   ${facts.docker}`,
    `  Redis    ${facts.redis}`,
    `  data     ${facts.dataDir}`,
    '',
    '  Send a first task from another terminal:',
    '    npm run demo                                            on the demo repository',
    '    npx errand run --repo https://github.com/you/project "fix the failing test"',
    '',
    '  Ctrl-C stops Errand. Accepted tasks are not lost.',
    '',
  ].join('\n')
}

export function slotsText(slots: string | null, processors: number): string {
  const count = Number(slots ?? processors)
  return `${count} ${count === 1 ? 'task' : 'tasks'} at once`
}
