import type { Page } from 'playwright-core'
import type { Task } from '../../../contract/api/api.ts'
import { REASONS } from '../../../contract/api/reason-texts.ts'
import { see } from '../../support/browser/see.ts'
import { cutLine } from '../browser/cut-line.ts'
import {
  asAda,
  asGrace,
  breakDown,
  change,
  cutOff,
  type Go,
  hang,
  notHere,
  open,
  press,
  type Scene,
  type World,
} from './scene.ts'
import type { Told } from './story/tell.ts'

type Of = (world: World) => Told
function ofAda(name: keyof World['ada']): Of {
  return ({ ada }) => ada[name]
}
function ofGrace(name: keyof World['grace']): Of {
  return ({ grace }) => grace[name]
}
function at(of: Of, seen: string | RegExp, then: Go = async () => undefined): Go {
  return async (page, world) => {
    await open(page, world, `/task/${of(world).id}`, seen)
    await then(page, world)
  }
}
function composer(page: Page) {
  return page.getByLabel('Message to the agent')
}

/** What the tests of the cache have printed so far. */
const PRINTED = `> tide-tables@2.4.0 test
> node --test test/cache.test.js

✔ keeps a table for a week (12.4 ms)
✔ asks again on the eighth day (9.1 ms)
✔ serves an older table when the service is down (31.7 ms)
`

/** A task from its place in the queue to its end, and whatever may come between. */
export const TASK_SCENES: readonly Scene[] = [
  asAda('task-waiting', at(ofAda('waiting'), /Queued|Next in queue/)),
  asGrace('task-no-runner', async (page, world) => {
    await change<Task>(page, `**/api/tasks/${world.grace.waiting.id}`, (task) => ({
      ...task,
      reason: 'no_runner',
      reasonText: REASONS.no_runner,
    }))
    await open(page, world, `/task/${world.grace.waiting.id}`, 'no runner is connected')
  }),
  asGrace('task-booting', at(ofGrace('booting'), 'Cloning repository')),
  asGrace(
    'task-live',
    at(ofGrace('live'), 'Read 1 file', async (page, world) => {
      const words =
        'The lamp is driven by **two timers**:\n\n1. `beat` counts the seconds of a period\n2. `flash` opens the shutter, and\n\n```ts\nsetInterval(beat, PERIOD_MS)\n```\n\nWhat is odd: the second one is never'
      await world.runner.sendDelta(world.grace.live.lease(), 0, words)
      await see(page.getByText('What is odd'))
    }),
  ),
  asAda('task-working', at(ofAda('working'), 'Now the tests of the cache')),
  asAda(
    'task-output',
    at(ofAda('working'), 'Now the tests of the cache', async (page, world) => {
      await world.runner.sendDelta(world.ada.working.lease(), 0, PRINTED, 'toolu_124')
      await see(page.getByText('serves an older table when the service is down'))
    }),
  ),
  asAda(
    'task-plan',
    at(ofAda('working'), 'Now the tests of the cache', async (page) => {
      await press(page, /Plan/)
      await see(page.getByText('Show their age in the footer'))
    }),
  ),
  asAda(
    'task-work-open',
    at(ofAda('working'), 'Now the tests of the cache', async (page) => {
      await press(page, /^Edited 2 files/)
      await see(page.locator('.diff-row.add').first())
      await page.evaluate("document.querySelector('.diff-row.add').scrollIntoView({ block: 'center' })")
    }),
  ),
  asAda('task-catching-up', async (page, world) => {
    await page.routeWebSocket(/socket\.io/, (line) => {
      const server = line.connectToServer()
      // There are more events than ever come.
      server.onMessage((message) => line.send(String(message).replace(/"ok":true,"lastSeq":\d+/, '"ok":true,"lastSeq":99999')))
    })
    await open(page, world, `/task/${world.ada.working.id}`, 'Catching up')
  }),
  asGrace('task-blocked', at(ofGrace('blocked'), /Blocked: CONNECT/)),
  asGrace('task-quiet', at(ofGrace('quietOne'), /No news for \d min/)),
  asGrace('task-stuck', at(ofGrace('quietFive'), /It may be stuck/)),
  asGrace('task-model-waiting', at(ofGrace('modelWaiting'), /The model API is overloaded. Next try in 1\d:\d\d/)),
  asGrace('task-parked', at(ofGrace('parked'), /The work so far is saved, and goes on in 3\d:\d\d/)),
  asGrace('task-interrupted', at(ofGrace('interrupted'), 'I go on from what was pushed last')),
  asGrace('task-messages', at(ofGrace('messages'), 'Then write it into the manual')),
  asGrace(
    'task-composing',
    at(ofGrace('live'), 'Read 1 file', async (page) => {
      await composer(page).fill('Say it in three sentences, please.\nAnd leave the code out.')
      await see(page.getByText('Stop and send'))
    }),
  ),
  asGrace(
    'task-too-long-message',
    at(ofGrace('live'), 'Read 1 file', async (page) => {
      await composer(page).fill('Mend the harbour light. '.repeat(4_500))
      await see(page.getByText('characters over the limit'))
    }),
  ),
  asGrace(
    'task-sending',
    at(ofGrace('live'), 'Read 1 file', async (page) => {
      await hang(page, '**/messages')
      await composer(page).fill('Say it in three sentences, please.')
      await press(page, 'Send')
      await see(page.getByText('Sending…'))
    }),
  ),
  asGrace(
    'task-waits-for-network',
    at(ofGrace('live'), 'Read 1 file', async (page) => {
      await page.route('**/messages', (route) => route.abort())
      for (const text of ['Say it in three sentences, please.', 'And leave the code out.']) {
        await composer(page).fill(text)
        await press(page, 'Send')
      }
      await see(page.getByText("Sends when you're back online").nth(1))
    }),
  ),
  asGrace(
    'task-not-sent',
    at(ofGrace('live'), 'Read 1 file', async (page) => {
      await page.route('**/messages', (route) =>
        route.fulfill({
          status: 413,
          json: { error: { code: 'too_large', message: 'The message is too long.', requestId: 'r' } },
        }),
      )
      await composer(page).fill('Say it in three sentences, please.')
      await press(page, 'Send')
      await see(page.getByText('Not sent.'))
    }),
  ),
  asGrace(
    'task-reconnecting',
    at(ofGrace('blocked'), /Blocked: CONNECT/, async (page) => {
      await cutOff(page)
      await see(page.locator('.line', { hasText: 'No network.' }))
    }),
  ),
  asAda('task-done', at(ofAda('finished'), 'The calendar export wrote local times')),
  asAda(
    'task-done-open',
    at(ofAda('finished'), 'The calendar export wrote local times', async (page) => {
      await press(page, /^Worked/)
      await see(page.getByText('1 failed'))
    }),
  ),
  asGrace('task-two-turns', at(ofGrace('twoTurns'), 'Clear weather is tested too')),
  asGrace('task-long-message', at(ofGrace('long'), 'Show full message')),
  asGrace('task-pull-request', at(ofGrace('pullRequest'), 'Pull request #42')),
  asGrace('task-no-budget', at(ofGrace('outOfBudget'), 'Add budget and retry')),
  asGrace('task-push-refused', at(ofGrace('refusedPush'), 'Download git bundle')),
  asGrace('task-no-repository', at(ofGrace('noRepository'), 'Set up git access')),
  asGrace('task-wrong-key', at(ofGrace('wrongKey'), 'The model API refused the key')),
  asAda('task-cancelled', at(ofAda('stopped'), 'Stopped here')),
  asGrace('task-no-changes', at(ofGrace('noChanges'), 'the agent changed no files')),
  asGrace(
    'task-retry',
    at(ofGrace('outOfBudget'), 'Add budget and retry', async (page) => {
      await press(page, 'Add budget and retry')
      await see(page.getByRole('dialog'))
    }),
  ),
  asGrace(
    'task-menu',
    at(ofGrace('cancelled'), 'Cancelled', async (page) => {
      await press(page, 'More')
      await see(page.getByRole('dialog'))
    }),
  ),
  asGrace(
    'task-budget',
    at(ofGrace('live'), 'Cancel task', async (page) => {
      await press(page, 'More')
      await press(page, 'Budget…')
      await see(page.getByText('At most (US dollars)'))
    }),
  ),
  asAda('task-not-found', (page, world) => open(page, world, '/task/nothing', 'Task not found')),
  asAda('task-loading', async (page, world) => {
    await hang(page, '**/api/tasks/*')
    await page.goto(`${world.url}/task/${world.ada.finished.id}`)
    await see(page.getByLabel('Loading'))
  }),
  asAda('task-error', async (page, world) => {
    await breakDown(page, '**/api/tasks/*')
    await open(page, world, `/task/${world.ada.finished.id}`, "Couldn't load the task")
  }),
  asAda(
    'task-not-here',
    notHere(({ ada }) => `/task/${ada.finished.id}`),
  ),
  asAda('task-working-offline', async (page, world) => {
    const line = await cutLine(page)
    await open(page, world, `/task/${world.ada.working.id}`, 'Now the tests of the cache')
    await line.cut()
    await see(page.locator('.strip').getByText(/^As of /))
  }),
  asAda(
    'task-offline',
    at(ofAda('finished'), 'The calendar export wrote local times', async (page) => {
      await page.route(/\/(api|socket\.io)\//, (route) => route.abort())
      await page.evaluate("dispatchEvent(new Event('online'))")
      await page.context().setOffline(true)
      await see(page.locator('.line', { hasText: 'No network.' }))
    }),
  ),
]
