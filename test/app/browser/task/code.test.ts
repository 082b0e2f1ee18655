import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import type { Page } from 'playwright-core'
import { byLine, type Language, languageOf, languageOfFile, type Piece } from '../../../../app/src/task/code/code.ts'
import type { Task } from '../../../../contract/api/api.ts'
import type { ChangedFile } from '../../../../contract/api/changes.ts'
import type { TaskEvent } from '../../../../contract/api/event.ts'
import { parsePatch } from '../../../../coordinator/tasks/changes.ts'
import { axeFaults } from '../../../support/browser/axe.ts'
import { waitFor } from '../../../support/checks/wait.ts'
import { type Phone, startPhone } from '../phone.ts'

// By a name that the compiler does not follow: the library's types would bring those of the browser into every room.
const place: string = '../../../../app/src/task/code/highlight.ts'
const { highlight } = (await import(place)) as { highlight: (text: string, language: Language) => Piece[] }

const HOSTILE = '<img src=x onerror="globalThis.hacked=1"></code></pre><script>globalThis.hacked=1</script>&lt;b&gt;'
const CODE: Record<Language, string> = {
  javascript: `// a remark\nconst text = \`\${1 + 2}${HOSTILE}\``,
  typescript: 'type Name = string\nexport const of = (n: number): Name => String(n)\n',
  json: '{"name": true, "count": 12}',
  python: 'def greet(name):\n    """Says it."""\n    return f"hello {name}"',
  bash: 'for f in *.ts; do echo "$f"; done # all',
  diff: '@@ -1 +1 @@\n-a\n+b',
  css: '.a > b { color: red }',
  xml: `<p class="x">${HOSTILE}</p>`,
}

describe('code in colours', () => {
  it.each(Object.entries(CODE) as Array<[Language, string]>)(
    'is the text as it was, whole and in order: %s',
    (language, text) => {
      const pieces = highlight(text, language)
      expect(pieces.map((piece) => piece.text).join('')).toBe(text)
      expect(pieces.some(({ kind }) => kind !== null)).toBe(true)
      expect(
        byLine(pieces)
          .map((line) => line.map((piece) => piece.text).join(''))
          .join('\n'),
      ).toBe(text)
    },
  )

  it('knows languages by the names of fences and files, and leaves the rest plain', () => {
    expect([languageOf('TS'), languageOf('shell'), languageOf('cobol'), languageOf('constructor')]).toEqual([
      'typescript',
      'bash',
      null,
      null,
    ])
    expect([languageOfFile('src/a.test.tsx'), languageOfFile('Makefile'), languageOfFile('py')]).toEqual([
      'typescript',
      null,
      'python',
    ])
  })
})

describe('the colours of code', () => {
  const css = readFileSync(join(import.meta.dirname, '../../../../app/src/design/styles/variables.css'), 'utf8')
  const GROUNDS = ['sheet', 'sunk', 'paper', 'good-wash', 'bad-wash']
  /** In the light look and in the dark one. */
  const luminances = (name: string): number[] =>
    [...(new RegExp(`--${name}: light-dark\\((#\\w{6}), (#\\w{6})\\)`).exec(css) ?? [])].slice(1).map((colour) => {
      const [r = 0, g = 0, b = 0] = [1, 3, 5].map((at) => {
        const part = Number.parseInt(colour.slice(at, at + 2), 16) / 255
        return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4
      })
      return 0.2126 * r + 0.7152 * g + 0.0722 * b
    })

  it.each(['keyword', 'string', 'number', 'comment', 'name'])(
    'have a contrast of 4.5 on every ground in both looks: %s',
    (kind) => {
      const inks = luminances(`code-${kind}`)
      expect(inks).toHaveLength(2)
      for (const ground of GROUNDS)
        for (const [look, light] of luminances(ground).entries()) {
          const ink = inks[look] ?? light
          expect((Math.max(ink, light) + 0.05) / (Math.min(ink, light) + 0.05)).toBeGreaterThanOrEqual(4.5)
        }
    },
  )
})

describe('on the screen', () => {
  const fence = (name: string, text: string) => `\`\`\`${name}\n${text}\n\`\`\``
  const ANSWER = [
    'Look:',
    fence('js', CODE.javascript),
    fence('html', CODE.xml),
    fence('ts', 'const long = 1\n'.repeat(1_500)),
    '```ts\nconst open = 1',
  ].join('\n\n')
  const PATCH =
    "diff --git a/a.ts b/a.ts\n--- a/a.ts\n+++ b/a.ts\n@@ -1,2 +1,2 @@ const x\n // a remark\n-const a = 'old'\n+const a = 12\n"

  let phone: Phone
  let page: Page
  let task: Task
  const loaded: string[] = []

  beforeAll(async () => {
    phone = await startPhone()
    page = await phone.visit({ viewport: { width: 320, height: 640 }, serviceWorkers: 'block' })
    page.on('request', (request) => loaded.push(new URL(request.url()).pathname))
    task = await phone.send('show me')
    const { events } = await phone.api<{ events: TaskEvent[] }>(`/api/tasks/${task.id}/events`)
    const said = { taskId: task.id, seq: 3, attempt: 1, at: task.createdAt, type: 'text.written', data: { text: ANSWER } }
    await page.route(`**/api/tasks/${task.id}`, (route) => route.fulfill({ json: { ...task, lastSeq: 3 } }))
    await page.route(`**/api/tasks/${task.id}/events*`, (route) =>
      route.fulfill({ json: { events: [...events, said], lastSeq: 3, more: false } }),
    )
    const files: ChangedFile[] = parsePatch(PATCH).files
    await page.route('**/api/tasks/*/changes', (route) =>
      route.fulfill({ json: { turn: null, files, truncated: false, source: 'git-host', commit: 'c0ffee1' } }),
    )
  })
  afterAll(() => phone?.stop())

  const blocks = () => page.locator('.prose pre')
  const isLoaded = () => loaded.some((path) => /\/highlight-.*\.js$/.test(path))

  it('shows what the agent wrote as text, coloured when its fence is closed and it is not long', async () => {
    await page.goto(phone.server.url)
    await page.getByRole('heading', { level: 1 }).waitFor()
    expect(isLoaded()).toBe(false)
    await page.goto(`${phone.server.url}/task/${task.id}`)
    await blocks().first().locator('.code-keyword').waitFor()
    expect(isLoaded()).toBe(true)
    expect(await blocks().nth(0).textContent()).toBe(`${CODE.javascript}\n`)
    expect(await blocks().nth(1).textContent()).toBe(`${CODE.xml}\n`)
    await blocks().nth(1).locator('.code-name').first().waitFor()
    expect(await blocks().nth(2).locator('span').count()).toBe(0)
    expect(await blocks().nth(3).locator('span').count()).toBe(0)
    expect(await page.locator('.prose img, .prose script').count()).toBe(0)
    expect(await page.evaluate('globalThis.hacked')).toBeUndefined()
  })

  for (const colorScheme of ['light', 'dark'] as const)
    it(`can be read in ${colorScheme}, in text and in a diff`, async () => {
      await page.emulateMedia({ colorScheme })
      await page.goto(`${phone.server.url}/task/${task.id}`)
      await blocks().first().locator('.code-comment').waitFor()
      expect((await axeFaults(page)).filter((fault) => fault.startsWith('color-contrast'))).toEqual([])
      await page.goto(`${phone.server.url}/task/${task.id}/changes`)
      await page.locator('.patch-row.add .code-number').waitFor()
      await page.locator('.patch-row.del .code-string').waitFor()
      await waitFor('each line as it is', async () =>
        (await page.locator('.patch-row .patch-text').allTextContents()).includes('// a remark'),
      )
      expect(await page.locator('.patch-text').allTextContents()).toEqual(['// a remark', "const a = 'old'", 'const a = 12'])
      expect(await axeFaults(page)).toEqual([])
    })
})
