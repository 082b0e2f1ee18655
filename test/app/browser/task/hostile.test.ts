import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import type { Page } from 'playwright-core'
import type { Device, SignInLink, Task } from '../../../../contract/api/api.ts'
import { LIMITS } from '../../../../contract/api/limits.ts'
import { type Stage, startStage } from '../../scenes/story/stage.ts'
import { steps } from '../../scenes/story/steps.ts'
import { beginTakenTask, REPO, type Told } from '../../scenes/story/tell.ts'
import { HOSTILE_COMMAND, HOSTILE_MARKDOWN, HOSTILE_OUTPUT, HOSTILE_PATCH, HOSTILE_PROMPT } from './hostile-texts.ts'

const SMALLEST = { viewport: { width: 320, height: 640 }, hasTouch: true, isMobile: true, serviceWorkers: 'block' } as const

let stage: Stage
let page: Page
let told: Told
let trouble: string[]

beforeAll(async () => {
  stage = await startStage({ ERRAND_GIT_HOSTS: 'https://github.com,https://مثال.example' })
  told = await tellHostile()
})
afterAll(() => stage?.stop())

beforeEach(async () => {
  page = await stage.visit('Ada', SMALLEST)
  trouble = watch(page)
})
afterEach(() => page?.context().close())

/** What must never be: a fault of the page, a dialog, a call to anybody but the server. */
function watch(page: Page): string[] {
  const seen: string[] = []
  page.on('pageerror', (error) => seen.push(`fault: ${error.message}`))
  page.on('dialog', (dialog) => {
    seen.push(`dialog: ${dialog.message()}`)
    dialog.dismiss().catch(() => undefined)
  })
  page.context().on('request', (request) => {
    if (!request.url().startsWith(stage.url)) seen.push(`call: ${request.url()}`)
  })
  return seen
}
async function expectUnharmed() {
  expect(trouble).toEqual([])
  expect(await page.evaluate('window.hostile')).toBeUndefined()
  expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(320)
}
async function tellHostile(): Promise<Told> {
  const told = await beginTakenTask(stage, { person: 'Ada', prompt: HOSTILE_PROMPT, agoSeconds: 60 })
  await told.tell(
    ...steps.boot(1),
    steps.text(8, HOSTILE_MARKDOWN),
    ...steps.bash(10, HOSTILE_COMMAND, HOSTILE_OUTPUT, { exit: 1, bytes: HOSTILE_OUTPUT.length * 4 }),
    ...steps.edit(12, 'src/cod\u202Egnp.ts', '<b>old</b>', '<img src=x onerror="window.hostile=1">'),
    steps.blocked(14, 'tracker.example.org'),
    steps.done(20, 'Done. <script>window.hostile=1</script>', { files: 4, insertions: 2, deletions: 1 }),
  )
  await told.keep('patch', HOSTILE_PATCH)
  await told.keep('output.toolu_10', HOSTILE_OUTPUT)
  await told.end(21)
  return told
}
async function openTask(path = '') {
  await page.goto(`${stage.url}/task/${told.id}${path}`)
}

describe('what an agent writes', () => {
  it('runs nothing, loads nothing, leads only to the web, and stays within the window', async () => {
    await openTask()
    await page.getByRole('button', { name: /^Worked for/ }).click()
    await page.getByRole('link', { name: 'a plain link' }).waitFor()
    await page.getByRole('button', { name: /1 failed/ }).click()
    await page.locator('.output').first().waitFor()
    await page.locator('.diff-row.add').first().waitFor()
    const links = await page.locator('.prose a').evaluateAll((all) => all.map((one) => one.getAttribute('href')))
    expect(links.length).toBeGreaterThan(0)
    for (const link of links) expect(link).toMatch(/^(https?:|mailto:|#|\/)/)
    expect(await page.locator('.prose :is(img, script, iframe, svg, form, object, style)').count()).toBe(0)
    await page.getByText('javascript link').click()
    await expectUnharmed()
  })

  it('cannot make a command or a file look like another by marks that reorder text', async () => {
    await openTask()
    await page.getByRole('button', { name: /^Worked for/ }).click()
    await page.getByRole('button', { name: /1 failed/ }).click()
    await page.getByText('src/cod‹U+202E›gnp.ts').first().waitFor()
    await page
      .getByText(/rm ‹U\+202E›/)
      .first()
      .waitFor()
    await openTask('/changes')
    await page.getByRole('button', { name: /invoice‹U\+202E›fdp\.exe/ }).click()
    await page.getByText('access = ‹U+202E›').waitFor()
    await openTask('/log/toolu_10')
    await page.getByText('‹U+202E›txt.lol').waitFor()
    expect(await page.locator('.log-text').textContent()).not.toMatch(/[^\P{Cc}\n\t]|\u202e/u)
    await expectUnharmed()
  })

  it('reads each part in its own direction, and cannot reorder what stands around a mark', async () => {
    await openTask()
    await page.getByRole('button', { name: /^Worked for/ }).click()
    await page.getByText('‹U+202E›txt.lol').first().waitFor()
    expect(await page.locator('.prose').first().textContent()).not.toMatch(/[\u202a-\u202e]/)
    expect(await page.locator('.prose code', { hasText: 'gnp' }).textContent()).toBe('cod‹U+202E›gnp.ts')
    const directionOf = (text: string) =>
      page.evaluate(
        `getComputedStyle([...document.querySelectorAll('.prose > *')].find((one) => one.textContent.includes('${text}'))).direction`,
      )
    expect(await directionOf('الخلاصة')).toBe('rtl')
    expect(await directionOf('أصلحت')).toBe('rtl')
    expect(await directionOf('In English again')).toBe('ltr')
    const composer = page.getByLabel('Message to the agent')
    await composer.fill('مرحبا')
    expect(await composer.evaluate((area) => area.matches(':dir(rtl)'))).toBe(true)
    await expectUnharmed()
  })

  it('cannot do so while it works either', async () => {
    const live = await beginTakenTask(stage, { person: 'Ada', prompt: 'Tidy up', agoSeconds: 20 })
    await live.tell(...steps.boot(1), ...steps.plan(8, ['Mend cod\u202Egnp.ts', 'doing']), steps.begin(9, 'rm \u202Egpj.seot'))
    await page.goto(`${stage.url}/task/${live.id}`)
    await page.locator('.work-now', { hasText: 'rm ‹U+202E›gpj.seot' }).waitFor()
    await page.locator('.strip-now', { hasText: 'rm ‹U+202E›gpj.seot' }).waitFor()
    await page.locator('.plan-now', { hasText: 'Mend cod‹U+202E›gnp.ts' }).waitFor()
    await page.getByRole('button', { name: /^Plan/ }).click()
    await page.locator('.plan-steps', { hasText: 'Mend cod‹U+202E›gnp.ts' }).waitFor()
    await expectUnharmed()
  })

  it('names binary and huge files without showing them', async () => {
    await openTask('/changes')
    await page.getByRole('button', { name: /blob\.bin/ }).click()
    await page.getByText('Binary file').waitFor()
    await page.getByRole('button', { name: /huge\.txt/ }).click()
    await page.getByText('Too long to show.').waitFor()
    await expectUnharmed()
  })

  it('shows titles of emoji and of right-to-left text in the list', async () => {
    await stage.api('Ada', '/api/tasks', { repoUrl: REPO, prompt: '👩‍👩‍👧‍👦'.repeat(60) })
    await stage.api('Ada', '/api/projects', { repoUrl: REPO, name: `مشروع \u202Egnp 🚀${'م'.repeat(80)}` })
    await page.goto(stage.url)
    await page.getByText('أصلح الاختبار').first().waitFor()
    await page.getByText('👩‍👩‍👧‍👦').first().waitFor()
    await expectUnharmed()
    await page.goto(`${stage.url}/projects`)
    await page.getByText(/مشروع/).first().waitFor()
    await expectUnharmed()
  })
})

describe('what a person types', () => {
  it('beyond the limit is told by how much; just within it goes through and is folded', async () => {
    await page.goto(`${stage.url}/new`)
    await page.getByLabel('Repository', { exact: true }).fill(REPO)
    const prompt = page.getByLabel('What should be done?')
    await prompt.fill('x'.repeat(LIMITS.promptChars + 1))
    await page.getByText(/^Too long \(max 100,000 characters\)/).waitFor()
    const longest = `Mend it.\n${'word '.repeat(LIMITS.promptChars / 5)}`.slice(0, LIMITS.promptChars - 1)
    await prompt.fill(longest)
    await page.getByText(/^Too long/).waitFor({ state: 'detached' })
    await page.getByRole('button', { name: 'Send' }).click()
    await page.waitForURL('**/task/*')
    await page.getByRole('button', { name: 'Show full message' }).waitFor()
    const id = page.url().split('/').at(-1) ?? ''
    expect((await stage.api<Task>('Ada', `/api/tasks/${id}`)).prompt).toBe(longest)
    const composer = page.getByLabel('Message to the agent')
    await composer.fill('x'.repeat(LIMITS.promptChars + 2))
    await page.getByText('2 characters over the limit').waitFor()
    expect(await page.getByRole('button', { name: 'Send', exact: true }).isDisabled()).toBe(true)
    await expectUnharmed()
  })

  it('outlives the end of the session, in the place where it was typed', async () => {
    const { id } = await stage.api<Task>('Grace', '/api/tasks', { repoUrl: REPO, prompt: 'Add a dimmer' })
    const hers = await stage.visit('Grace', SMALLEST)
    await hers.goto(`${stage.url}/task/${id}`)
    const composer = hers.getByLabel('Message to the agent')
    await composer.fill('half a thought')
    // Another device signs this one out while its owner types.
    const { items } = await stage.api<{ items: Device[] }>('Grace', '/api/me/devices')
    for (const { kind, id: device } of items)
      if (kind === 'browser') await stage.api('Grace', `/api/me/devices/${device}`, undefined, 'DELETE')
    await hers.getByText('You were signed out').waitFor()
    await hers.goto((await stage.api<SignInLink>('Grace', '/auth/links', {})).url)
    await hers.getByRole('button', { name: 'Sign in' }).click()
    await hers.waitForURL(`**/task/${id}`)
    await composer.waitFor()
    expect(await composer.inputValue()).toBe('half a thought')
    await hers.context().close()
  })

  it('is sent from a browser that can store nothing more, which says what will be lost', async () => {
    await page.addInitScript(`
      const full = () => { throw new DOMException('The quota has been exceeded.', 'QuotaExceededError') }
      Storage.prototype.setItem = full
      IDBObjectStore.prototype.put = full
    `)
    await page.goto(`${stage.url}/new`)
    await page.getByText('are lost when you close the app').waitFor()
    await page.getByLabel('Repository', { exact: true }).fill(REPO)
    await page.getByLabel('What should be done?').fill('sent from a full browser')
    await page.getByRole('button', { name: 'Send' }).click()
    await page.waitForURL('**/task/*')
    await page.getByText('sent from a full browser').first().waitFor()
    await expectUnharmed()
  })
})
