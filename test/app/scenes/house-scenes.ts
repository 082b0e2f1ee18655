import type { Page } from 'playwright-core'
import type { NotificationSettings, SignInLink } from '../../../contract/api/api.ts'
import type { Overview } from '../../../contract/api/overview.ts'
import { see } from '../../support/browser/see.ts'
import { cutLine } from '../browser/cut-line.ts'
import { asAda, asGrace, asLin, breakDown, change, type Go, hang, notHere, open, press, type Scene } from './scene.ts'

function settings(seen: string, then: Go = async () => undefined): Go {
  return async (page, world) => {
    await open(page, world, '/settings', seen)
    await see(page.getByText('Send', { exact: false }).first())
    await then(page, world)
  }
}
async function inDialog(page: Page, button: string | RegExp) {
  await press(page, button)
  await see(page.getByRole('dialog'))
}
function part(id: string) {
  return (page: Page) => page.evaluate(`document.getElementById('${id}').scrollIntoView()`)
}

/** Projects, settings, and what admins see. */
export const HOUSE_SCENES: readonly Scene[] = [
  asAda('projects', (page, world) => open(page, world, '/projects', 'Tide tables')),
  asLin('projects-empty', (page, world) => open(page, world, '/projects', 'No projects yet')),
  asLin('projects-refused', async (page, world) => {
    await open(page, world, '/projects', 'No projects yet')
    await inDialog(page, 'Add repository')
    await page.getByLabel('Repository URL').fill('ftp://nowhere')
    await press(page, 'Save')
    await see(page.getByText('This is not the address of a repository'))
  }),
  asAda('projects-remove', async (page, world) => {
    await open(page, world, '/projects', 'Tide tables')
    await inDialog(page, /Remove/)
  }),
  asAda('projects-loading', async (page, world) => {
    await hang(page, '**/api/projects')
    await page.goto(`${world.url}/projects`)
    await see(page.getByLabel('Loading'))
  }),
  asGrace('projects-offline', async (page, world) => {
    const line = await cutLine(page)
    await open(page, world, '/projects', 'No projects yet')
    await line.cut()
    await see(page.getByText(/^As of /))
  }),
  asAda('projects-error', async (page, world) => {
    await breakDown(page, '**/api/projects')
    await open(page, world, '/projects', 'Something went wrong on the server')
  }),

  asLin('settings-not-here', notHere('/settings')),
  asAda('settings', settings('git.example.org')),
  asAda('settings-notifications', settings('git.example.org', part('notifications'))),
  asAda('settings-devices', settings('git.example.org', part('devices'))),
  asLin('settings-new-user', settings('No hosts yet')),
  asLin(
    'settings-push-denied',
    settings('No hosts yet', async (page) => {
      await page.evaluate("Object.defineProperty(Notification, 'permission', { value: 'denied' })")
      await page.getByRole('link', { name: 'Tasks' }).click()
      await page.getByRole('link', { name: 'Settings' }).click()
      await see(page.getByText('This browser blocks notifications'))
      await part('notifications')(page)
    }),
  ),
  asLin('settings-push-unsupported', async (page, world) => {
    await page.addInitScript('delete window.PushManager')
    await open(page, world, '/settings', 'This browser can’t show notifications')
    await part('notifications')(page)
  }),
  asLin('settings-webhook', async (page, world) => {
    await change<NotificationSettings>(page, '**/api/me/notifications', (known) => ({
      ...known,
      webhookUrl: 'https://ntfy.example.org/ada-errands',
    }))
    await open(page, world, '/settings', 'Send a test')
    await page.getByLabel('Webhook or ntfy URL').fill('ntfy.example.org')
    await press(page, 'Save')
    await see(page.getByText('Enter a URL that starts with'))
    await part('notifications')(page)
  }),
  asLin(
    'settings-new-token',
    settings('No hosts yet', async (page) => {
      await inDialog(page, 'New token')
      await page.getByLabel('What is it for?').fill('nightly script')
      await page.getByRole('dialog').getByRole('button', { name: 'Save' }).click()
      await see(page.getByText('Copy it now'))
    }),
  ),
  asLin(
    'settings-add-host',
    settings('No hosts yet', (page) => inDialog(page, 'Add host')),
  ),
  asAda(
    'settings-link',
    settings('git.example.org', async (page) => {
      await inDialog(page, 'Sign in on another device')
      await see(page.getByText(/auth\/link/))
    }),
  ),
  asAda(
    'settings-link-phone',
    settings('git.example.org', async (page) => {
      await change<SignInLink>(page, '**/auth/links', ({ url, ...link }) => ({
        ...link,
        url: url.replace(/^http:\/\/[^/]+/, 'https://errand.example.org'),
        onlyHere: null,
      }))
      await inDialog(page, 'Sign in on another device')
      await see(page.getByRole('img', { name: 'QR code of the link' }))
    }),
  ),
  asAda(
    'settings-remove-host',
    settings('git.example.org', (page) => inDialog(page, 'Remove')),
  ),
  asAda(
    'settings-revoke',
    settings('git.example.org', (page) => inDialog(page, /^Revoke: /)),
  ),
  asAda(
    'settings-sign-out-everywhere',
    settings('git.example.org', (page) => inDialog(page, 'Sign out everywhere')),
  ),
  asAda('settings-loading', async (page, world) => {
    await hang(page, '**/api/me/*')
    await page.goto(`${world.url}/settings`)
    await see(page.getByLabel('Loading').first())
  }),
  asAda('settings-error', async (page, world) => {
    await breakDown(page, '**/api/me/*')
    await open(page, world, '/settings', 'Something went wrong on the server')
  }),

  asAda('admin', (page, world) => open(page, world, '/admin', 'Redis answers')),
  asAda('admin-no-runner', async (page, world) => {
    await change<Overview>(page, '**/api/admin/overview', (known) => ({ ...known, redis: false, runners: [] }))
    await open(page, world, '/admin', 'No runner is connected')
  }),
  asGrace('admin-no-rights', (page, world) => open(page, world, '/admin', 'Admins only')),
  asAda('admin-not-here', notHere('/admin')),
  asAda('admin-error', async (page, world) => {
    await breakDown(page, '**/api/admin/overview')
    await open(page, world, '/admin', 'Something went wrong on the server')
  }),
]
