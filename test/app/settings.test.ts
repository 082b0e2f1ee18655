import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import type { Browser } from 'playwright-core'
import { openPage, startBrowser } from '../support/browser.ts'
import { startCoordinator, type TestCoordinator } from '../support/coordinator.ts'
import { startRedis, type TestRedis } from '../support/redis.ts'

const SMALL = { viewport: { width: 320, height: 640 }, hasTouch: true, isMobile: true, serviceWorkers: 'block' } as const

let redis: TestRedis
let server: TestCoordinator
let browser: Browser

beforeAll(async () => {
  redis = await startRedis()
  server = await startCoordinator({ redisUrl: redis.url })
  browser = await startBrowser()
}, 60_000)
afterAll(async () => {
  await browser?.close()
  await server?.stop()
  await redis?.stop()
})

describe('the sign-in', () => {
  it('asks which ways there are without a fault in the console', async () => {
    const { page, faults } = await openPage(browser, SMALL)
    await page.goto(`${server.url}/sign-in`)
    await page.getByText('npx errand link').waitFor()
    expect(await page.getByRole('link', { name: 'Continue with GitHub' }).count()).toBe(0)
    expect(faults).toEqual([])
  })
})
