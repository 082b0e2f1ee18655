import { see } from '../../support/browser/see.ts'
import { asGrace, breakDown, type Go, hang, notHere, open, press, type Scene, type World } from './scene.ts'

function changesOf(name: keyof World['grace'], seen: string | RegExp, then: Go = async () => undefined): Go {
  return async (page, world) => {
    await open(page, world, `/task/${world.grace[name].id}/changes`, seen)
    await then(page, world)
  }
}
function fileOpened(name: RegExp, seen: string | RegExp, then: Go = async () => undefined): Go {
  return changesOf('changes', 'flashes.csv', async (page, world) => {
    await press(page, name)
    await see(page.getByText(seen).first())
    await then(page, world)
  })
}
function logOf(callId: string, seen: string | RegExp, then: Go = async () => undefined): Go {
  return async (page, world) => {
    await open(page, world, `/task/${world.grace.outputs.id}/log/${callId}`, seen)
    await then(page, world)
  }
}
function searched(wanted: string, found: string | RegExp): Go {
  return logOf('toolu_10', '00001', async (page) => {
    await page.getByLabel('Search output').fill(wanted)
    await see(page.getByText(found).first())
  })
}

/** What a task made: its changes and the whole output of its calls. */
export const RESULT_SCENES: readonly Scene[] = [
  asGrace('changes', changesOf('changes', 'flashes.csv')),
  asGrace('changes-file', fileOpened(/assets\.ts/, 'export const count')),
  asGrace(
    'changes-not-wrapped',
    fileOpened(/assets\.ts/, 'export const count', async (page) => {
      await page.getByLabel('Wrap lines').click()
    }),
  ),
  asGrace('changes-binary', fileOpened(/lamp\.png/, 'Binary file')),
  asGrace('changes-renamed', fileOpened(/lens\.svg/, /Renamed from .*lens\.svg/)),
  asGrace('changes-deleted', fileOpened(/readme\.txt/, 'These are the old pictures')),
  asGrace('changes-huge', fileOpened(/flashes\.csv/, 'Too long to show.')),
  asGrace('changes-one', changesOf('twoTurns', 'calendar.js')),
  asGrace('changes-none', changesOf('noChanges', 'No changes yet')),
  asGrace('changes-not-yet', changesOf('live', 'The agent is working.')),
  asGrace('changes-loading', async (page, world) => {
    await hang(page, '**/api/tasks/*/changes')
    await page.goto(`${world.url}/task/${world.grace.changes.id}/changes`)
    await see(page.getByLabel('Loading'))
  }),
  asGrace(
    'changes-not-here',
    notHere(({ grace }) => `/task/${grace.changes.id}/changes`),
  ),
  asGrace('changes-error', async (page, world) => {
    await breakDown(page, '**/api/tasks/*/changes')
    await open(page, world, `/task/${world.grace.changes.id}/changes`, "Couldn't load the changes")
  }),

  asGrace('log-short', logOf('toolu_70', '12M')),
  asGrace('log-long', logOf('toolu_10', 'Load more')),
  asGrace('log-found', searched('slow', /^1 of \d+$/)),
  asGrace('log-not-found', searched('nothing of the kind', 'No matches')),
  asGrace('log-colours', logOf('toolu_60', 'fog signal')),
  asGrace('log-binary', logOf('toolu_80', /%/)),
  asGrace('log-missing', logOf('toolu_none', /doesn't exist/)),
  asGrace('log-loading', async (page, world) => {
    await hang(page, '**/outputs/*')
    await page.goto(`${world.url}/task/${world.grace.outputs.id}/log/toolu_10`)
    await see(page.getByLabel('Loading'))
  }),
  asGrace(
    'log-not-here',
    notHere(({ grace }) => `/task/${grace.outputs.id}/log/toolu_10`),
  ),
  asGrace('log-error', async (page, world) => {
    await breakDown(page, '**/outputs/*')
    await open(page, world, `/task/${world.grace.outputs.id}/log/toolu_10`, "Couldn't load the output")
  }),
]
