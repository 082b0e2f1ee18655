import type { Page } from 'playwright-core'
import { see } from '../../support/browser/see.ts'
import { waitFor } from '../../support/checks/wait.ts'
import {
  asAda,
  asGrace,
  asLin,
  asMe,
  breakDown,
  cutOff,
  hang,
  heading,
  notHere,
  open,
  press,
  type Scene,
  type World,
} from './scene.ts'

const REPO = 'https://github.com/lighthouse/tide-tables'

/** The list, and the way to a new task. */
export const TASKS_SCENES: readonly Scene[] = [
  asAda('tasks', (page, world) => open(page, world, '/', 'Fix the failing test')),
  asGrace('tasks-many', (page, world) => open(page, world, '/', 'Sort the imports')),
  asAda('tasks-loading', async (page, world) => {
    await hang(page, '**/api/tasks?*')
    await page.goto(world.url)
    await see(page.getByLabel('Loading'))
  }),
  asLin('tasks-first-visit', (page, world) => open(page, world, '/', 'Send your first errand')),
  asAda('tasks-nothing-found', async (page, world) => {
    await open(page, world, '/', 'Fix the failing test')
    await page.getByLabel('Search tasks').fill('a word that is nowhere')
    await see(page.getByText('No matching tasks'))
  }),
  asGrace('tasks-filtered', async (page, world) => {
    await open(page, world, '/', 'Sort the imports')
    await page.getByLabel('Status').selectOption('failed')
    await see(page.getByText('Sort the imports'))
  }),
  asAda('tasks-error', async (page, world) => {
    await breakDown(page, '**/api/tasks?*')
    await open(page, world, '/', 'Something went wrong on the server')
  }),
  asAda('tasks-offline', async (page, world) => {
    await open(page, world, '/', 'Fix the failing test')
    await waitFor('the list to be kept', () => page.evaluate('indexedDB.databases().then((all) => all.length > 0)'))
    await page.route(/\/(api|socket\.io)\//, (route) => route.abort())
    await page.reload()
    await see(page.getByText(/^As of /))
  }),
  asAda('tasks-unsent', async (page, world) => {
    await page.route('**/api/tasks', (route) => (route.request().method() === 'POST' ? route.abort() : route.fallback()))
    await fillNewTask(page, world)
    await press(page, 'Send')
    await see(page.getByText('Saved on this device.'))
    await page.getByRole('link', { name: 'Tasks' }).last().click()
    await see(page.getByRole('heading', { name: 'Not sent yet' }))
  }),
  asAda('tasks-not-here', notHere('/')),
  asLin('tasks-no-access', async (page, world) => {
    await page.route('**/api/tasks?*', async (route) => {
      const { items } = await world.api<{ items: object[] }>('Ada', '/api/tasks?limit=3')
      await route.fulfill({ json: { items, nextCursor: null } })
    })
    await open(page, world, '/', 'Set up git access')
  }),

  asLin('new', (page, world) => open(page, world, '/new', 'What should be done?')),
  asAda('new-filled', fillNewTask),
  asAda('new-options', async (page, world) => {
    await fillNewTask(page, world)
    await page.getByText('Branch, model, effort, budget').click()
    await page.getByLabel('Budget').fill('a lot')
    await see(page.getByText('Enter a number above 0'))
  }),
  asAda('new-refused', async (page, world) => {
    await fillNewTask(page, world)
    await page.getByLabel('Repository', { exact: true }).fill('ftp://nowhere')
    await press(page, 'Send')
    await see(page.getByText('This is not the address of a repository'))
  }),
  asAda('new-no-repository', async (page, world) => {
    await fillNewTask(page, world)
    await page.getByLabel('Repository', { exact: true }).fill('')
    await press(page, 'Send')
    await see(page.getByText('Choose a repository.'))
  }),
  asAda('new-too-long', async (page, world) => {
    await fillNewTask(page, world)
    await page.getByLabel('What should be done?').fill('Mend the harbour light. '.repeat(4_500))
    await see(page.getByText(/^Too long/))
  }),
  asAda('new-kept', async (page, world) => {
    await fillNewTask(page, world)
    await page.route('**/api/tasks', (route) => route.abort())
    await press(page, 'Send')
    await see(page.getByText('Saved on this device.'))
  }),
  asAda('new-offline', async (page, world) => {
    await fillNewTask(page, world)
    await cutOff(page)
    await see(page.locator('.line', { hasText: 'No network.' }))
  }),
  asAda('new-demo', async (page, world) => {
    await asMe(page, { demo: true })
    await open(page, world, '/new', 'What should be done?')
  }),
]

async function fillNewTask(page: Page, world: World): Promise<void> {
  await page.goto(`${world.url}/new`)
  await see(heading(page, 'New task'))
  await page.getByLabel('Repository', { exact: true }).fill(REPO)
  await page
    .getByLabel('What should be done?')
    .fill('The tide of 29 February is missing from the yearly table.\n\nFind out why, fix it, and add a test.')
  await see(page.getByRole('button', { name: 'lighthouse/tide-tables' }))
}
