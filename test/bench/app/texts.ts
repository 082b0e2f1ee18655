import type { NewEvent } from '../../../contract/api/event.ts'

/** What an agent does in one step, over and over: it says something, runs a command, edits a file. Five events. */
export function step(n: number): NewEvent[] {
  return [
    { type: 'text.written', data: { text: SAID[n % SAID.length] ?? '' } },
    ...call(`bash_${n}`, 'bash', { command: `npm test -- --grep "case ${n}"` }, output(n), n % 9 === 8 ? 1 : 0),
    ...call(
      `edit_${n}`,
      'edit',
      { file_path: `/workspace/hello/src/part-${n % 40}.ts`, old_string: code(n), new_string: code(n + 1) },
      'Edited.',
      null,
    ),
  ]
}

function call(callId: string, name: string, input: unknown, said: string, exitCode: number | null): NewEvent[] {
  return [
    { type: 'tool.started', data: { callId, name, title: name, input } },
    {
      type: 'tool.ended',
      data: { callId, name, ok: true, output: said, outputBytes: said.length, exitCode, durationMs: 1_200 },
    },
  ]
}

function code(n: number): string {
  return Array.from(
    { length: 12 },
    (_, line) => `  const value${line} = await read('part-${n}', { line: ${line}, attempt: ${n % 3} })`,
  ).join('\n')
}

function output(n: number): string {
  return Array.from({ length: 30 }, (_, line) => `  ✓ case ${n}.${line} gives the same answer as before (${line % 7} ms)`).join(
    '\n',
  )
}

const SAID = [
  'The failing test compares two dates of **different time zones**. I look at where they are made before I change anything.',
  'Two things follow from that:\n\n- `readPart` must not cache across attempts,\n- the retry has to say *which* attempt it is.\n\nI start with the first.',
  'The change is small:\n\n```ts\nexport const readPart = async (name: string): Promise<Part> => {\n  const found = await store.find(name)\n  if (!found) throw new Error(name)\n  return found\n}\n```\n\nNow the tests again.',
  'All of them pass but one:\n\n| case | before | now |\n| --- | --- | --- |\n| noon | ok | ok |\n| midnight | ok | **fails** |\n\nMidnight is the next to look at.',
]

export const END = '\n\nThis is the end.'

/** An answer of 8,000 characters with all that markdown is used for, as a model writes it. */
export function answer(): string {
  const list = Array.from(
    { length: 12 },
    (_, n) => `${n + 1}. The part **${n}** reads \`value${n}\` and says [where](https://example.org/${n}) it is from.`,
  )
  const rows = Array.from({ length: 20 }, (_, n) => `| case ${n} | ${n * 3} ms | ${n % 4 === 0 ? '**fails**' : 'ok'} |`)
  const section = (n: number) =>
    [
      `## Section ${n}`,
      SAID[0],
      list.join('\n'),
      `\`\`\`ts\n${code(n)}\n${code(n + 1)}\n\`\`\``,
      ['| case | time | result |', '| --- | ---: | --- |', ...rows].join('\n'),
      SAID[1],
    ].join('\n\n')
  return `${[1, 2, 3, 4]
    .map(section)
    .join('\n\n')
    .slice(0, 8_000 - END.length)}${END}`
}
