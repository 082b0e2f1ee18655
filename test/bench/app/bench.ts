/** What the phone app costs in a real browser, slowed down as Lighthouse does. `npm run bench:app` prints the table. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { openPage, signIn, startWholeBrowser } from '../../support/browser/browser.ts'
import { gzipBytes, precachedFiles, startFiles } from '../../support/browser/bundle.ts'
import { createHandWork } from '../../support/scripted/hand-work.ts'
import { startSystem } from '../../support/systems/system.ts'
import { percentile, table } from '../table.ts'
import { firstRow, openAddress, openTask } from './open.ts'
import { stream } from './stream.ts'
import { step } from './texts.ts'

const RUNS = 5
const LIST_LENGTH = 50
const EVENTS = 3_000
const STEP_EVENTS = step(0).length

async function main(): Promise<void> {
  const system = await startSystem({ runners: [] })
  const runnerToken = (await readFile(join(system.dataDir, 'runner-token'), 'utf8')).trim()
  const work = await createHandWork({ url: system.url, redisUrl: system.redis.url, ownerToken: system.token, runnerToken })
  const browser = await startWholeBrowser()
  try {
    const long = await seed(work)
    const { page } = await openPage(browser, { serviceWorkers: 'block' })
    await signIn(page, (await work.api<{ url: string }>('/auth/links', {})).url)
    const cookies = await page.context().cookies()
    await page.context().close()

    const rows: string[][] = []
    const say = (what: string, goal: string, ours: string) => {
      rows.push([what, goal, ours])
      process.stderr.write(`${what}: ${ours}\n`)
    }
    const fiveTimes = async (measure: () => Promise<number>): Promise<string> => {
      const times: number[] = []
      for (let run = 0; run < RUNS; run++) times.push(await measure())
      return `${percentile(times, 0.5).toFixed(0)} ms`
    }

    say('start bundle, gzip', '110 kB', `${(gzipBytes(startFiles()) / 1_000).toFixed(1)} kB`)
    const kept = precachedFiles().reduce((sum, { bytes }) => sum + bytes, 0)
    say('kept by the service worker from the first visit on', '600 kB', `${(kept / 1_000).toFixed(0)} kB`)
    const { url } = system
    say('first row of 50 tasks, CPU 4 × slower, slow 4G, cold', '2000 ms', await fiveTimes(() => firstRow(browser, url, cookies)))
    say(
      'task of 3,000 events, from the list, CPU 4 × slower',
      '1500 ms',
      await fiveTimes(() => openTask(browser, url, cookies, long)),
    )
    say('the same by its address, cold', '', await fiveTimes(() => openAddress(browser, url, cookies, long)))
    const all: number[] = []
    for (let run = 0; run < RUNS; run++) all.push(...(await stream(browser, url, cookies, work)))
    const mean = all.reduce((sum, one) => sum + one, 0) / all.length
    const numbers = [mean, percentile(all, 0.5), percentile(all, 0.95)].map((one) => one.toFixed(1))
    say('a delta of 8,000 characters of markdown, mean / median / p95', '5 ms', `${numbers.join(' / ')} ms`)
    process.stdout.write(`\n${table(['what', 'goal', 'ours'], rows)}\n`)
  } finally {
    await browser.close()
    await work.close()
    await system.stop()
  }
}

/** Fills the store by the real river: a list of tasks that ended, the newest of them long. @returns the long one */
async function seed({ begin }: Awaited<ReturnType<typeof createHandWork>>): Promise<string> {
  for (let n = 1; n < LIST_LENGTH; n++) {
    const task = await begin(`Mend case ${n} of the parts that are read twice, and say in the README why it failed.`)
    await task.say(...step(n))
    await task.end(n % 5 === 0 ? 'failed' : 'completed')
  }
  const long = await begin('Go through every case of every part, one after the other.')
  await long.say(...Array.from({ length: EVENTS / STEP_EVENTS }, (_, n) => step(n)).flat())
  // A turn that failed is shown unfolded: every event of the newest page is on the screen.
  await long.end('failed')
  return long.id
}

await main()
