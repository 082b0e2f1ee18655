import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import type { Page } from 'playwright-core'
import { stepFrom } from '../../../../app/src/task/changes/patch-lines.ts'
import type { Task } from '../../../../contract/api/api.ts'
import type { ChangedFile, Changes } from '../../../../contract/api/changes.ts'
import { parsePatch } from '../../../../coordinator/tasks/changes.ts'
import { axeFaults } from '../../../support/browser/axe.ts'
import { waitFor } from '../../../support/checks/wait.ts'
import { type Phone, startPhone } from '../phone.ts'

function hunk(line: number, lines: number, text: string) {
  return [
    `@@ -${line},${lines} +${line},${lines + 1} @@`,
    ...Array.from({ length: lines }, (_, n) => ` line ${line + n}`),
    `+${text}`,
  ].join('\n')
}
/** Of every kind that git knows, as git prints them. */
const PATCH = `diff --git a/src/first.ts b/src/first.ts
index 1111111..2222222 100644
--- a/src/first.ts
+++ b/src/first.ts
${hunk(1, 30, 'const first = 1')}
${hunk(90, 30, 'const second = 2')}
diff --git a/logo.png b/logo.png
index 1111111..2222222 100644
Binary files a/logo.png and b/logo.png differ
diff --git a/run.sh b/run.sh
old mode 100644
new mode 100755
diff --git a/empty.txt b/empty.txt
new file mode 100644
index 0000000..e69de29
diff --git a/old-name.md b/new-name.md
similarity index 100%
rename from old-name.md
rename to new-name.md
diff --git a/gone.ts b/gone.ts
deleted file mode 100644
index 1111111..0000000
--- a/gone.ts
+++ /dev/null
@@ -1 +0,0 @@
-nobody needs it
diff --git a/long.txt b/long.txt
index 1111111..2222222 100644
--- a/long.txt
+++ b/long.txt
${hunk(1, 3_000, 'the end')}
`

let phone: Phone
let page: Page
let task: Task
let files: ChangedFile[] = []
let whose: Pick<Changes, 'source' | 'commit'>

beforeAll(async () => {
  phone = await startPhone()
  page = await phone.visit()
  task = await phone.send('change something')
  await page.route('**/api/tasks/*/changes', (route) =>
    route.fulfill({ json: { turn: null, files, truncated: false, ...whose } }),
  )
})
afterAll(() => phone?.stop())

function open(source: Changes['source'] = 'git-host') {
  whose = { source, commit: source === 'git-host' ? 'c0ffee1' : null }
  return page.goto(`${phone.server.url}/task/${task.id}/changes`)
}
function file(name: string) {
  return page.getByRole('button', { name })
}
function current() {
  return page.locator('[aria-current=true]')
}
/** Where the change that one is at begins, and where the file's own line ends above it. */
async function places() {
  const [change, head] = await Promise.all([
    current().boundingBox(),
    page.locator('.file', { has: current() }).locator('.file-head').boundingBox(),
  ])
  return { change: change?.y ?? 0, below: (head?.y ?? 0) + (head?.height ?? 0), head: head?.y ?? 0 }
}

describe('the changes of a task on a phone', () => {
  it('lead from change to change over hunks and files, each below its file’s name', async () => {
    files = parsePatch(PATCH).files
    await open()
    const next = page.getByRole('button', { name: 'Next change' })
    await next.click()
    await page.getByText('Change 1 of 8: src/first.ts').waitFor({ state: 'attached' })
    await page.keyboard.press('.')
    await page.getByText('Change 2 of 8: src/first.ts').waitFor({ state: 'attached' })
    await waitFor('the second change in sight', async () => {
      const { change, below, head } = await places()
      return head > 0 && change >= below - 1 && change < 320
    })
    await next.click()
    await page.getByText('Change 3 of 8: logo.png').waitFor({ state: 'attached' })
    await page.keyboard.press(',')
    await page.getByText('Change 2 of 8: src/first.ts').waitFor({ state: 'attached' })
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(320)
    expect(await axeFaults(page)).toEqual([])
  })

  it('say whose word they are: read from the git host at a commit, or the account of the agent', async () => {
    files = parsePatch(PATCH).files
    await open()
    await page.getByText('at the pushed commit c0ffee1').waitFor()
    await open('agent')
    await page.getByText("Nothing was pushed: these changes are the agent's own account.").waitFor()
    expect(await axeFaults(page)).toEqual([])
  })

  it.each([
    ['logo.png', 'Binary file, not shown.'],
    ['run.sh', 'Mode changed from 100644 to 100755.'],
    ['empty.txt', 'Empty file.'],
    ['new-name.md', 'Renamed from old-name.md'],
    ['gone.ts', 'nobody needs it'],
    ['long.txt', 'Too long to show. Download the full diff.'],
  ])('say what became of %s', async (name, words) => {
    await file(name).click()
    await page.getByText(words).waitFor()
    expect(await axeFaults(page)).toEqual([])
  })

  it('stay as they are read when a turn ends, and offer the newer ones', async () => {
    files = parsePatch(PATCH).files.slice(0, 2)
    await open()
    await page.getByText('The agent is working.').waitFor()
    await file('src/first.ts').click()
    files = parsePatch(PATCH).files.slice(0, 3)
    await phone.api(`/api/tasks/${task.id}/cancel`, {})
    await page.getByText('A newer turn has ended.').waitFor()
    await page.getByText('2 files').waitFor()
    expect(await axeFaults(page)).toEqual([])
    await page.getByRole('button', { name: 'Show its changes' }).click()
    await page.getByText('3 files').waitFor()
    expect(await page.getByText('A newer turn has ended.').count()).toBe(0)
    expect(await file('src/first.ts').getAttribute('aria-expanded')).toBe('true')
  })

  it('say that the branch lacks them when the push was refused', async () => {
    const refused: Partial<Task> = { status: 'failed', reason: 'push_refused' }
    await page.route(`**/api/tasks/${task.id}`, (route) => route.fulfill({ json: { ...task, ...refused } }))
    await open()
    await page.getByText('The git host refused the push').waitFor()
    expect(await axeFaults(page)).toEqual([])
    await page.unroute(`**/api/tasks/${task.id}`)
  })

  it('say that there are none, that there is no network, and that it failed', async () => {
    files = []
    await open()
    await page.getByText('No changes yet').waitFor()
    await page.route('**/api/tasks/*/changes', (route) => route.abort())
    await open()
    await page.getByText('Not saved on this device. It loads as soon as the server answers.').waitFor()
    expect(await axeFaults(page)).toEqual([])
    const error = { code: 'internal', message: 'Something went wrong on the server.', requestId: 'r' }
    await page.route('**/api/tasks/*/changes', (route) => route.fulfill({ status: 500, json: { error } }))
    // It asks again by itself.
    await page.getByText('Something went wrong on the server.').waitFor()
    await page.unroute('**/api/tasks/*/changes')
    await page.goto(`${phone.server.url}/task/tsk_of_nobody/changes`)
    await page.getByText('Task not found').waitFor()
    expect(await axeFaults(page)).toEqual([])
  })
})

describe('a step among the changes', () => {
  it('goes to the next and the one before, begins at a file that was opened by hand, and stays at the ends', () => {
    expect([stepFrom(-0.5, 1, 3), stepFrom(-0.5, -1, 3)]).toEqual([0, 0])
    expect([stepFrom(1, 1, 3), stepFrom(1, -1, 3)]).toEqual([2, 0])
    expect([stepFrom(1.5, 1, 3), stepFrom(1.5, -1, 3)]).toEqual([2, 1])
    expect([stepFrom(2, 1, 3), stepFrom(0, -1, 3)]).toEqual([2, 0])
  })
})
