import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import type { Storage } from '../../../../contract/api/overview.ts'
import { axeFaults } from '../../../support/browser/axe.ts'
import { type Phone, startPhone } from '../phone.ts'

let phone: Phone
beforeAll(async () => {
  phone = await startPhone()
})
afterAll(() => phone?.stop())

describe('what takes the space on the server', () => {
  const NAME = `🙂مرحبا${'y'.repeat(93)}`

  it('is shown to admins: by kind and by user, what may be, and that the disk is almost full', async () => {
    const page = await phone.visit()
    const MB = 1024 * 1024
    await page.route('**/api/admin/storage', async (route) => {
      const known = (await (await route.fetch()).json()) as Storage
      const kinds = [
        { kind: 'bundles', files: 1, bytes: 34 * MB },
        { kind: 'of a newer server', files: 2, bytes: MB },
      ]
      const users = [{ id: 'u', name: NAME, bytes: 12_000 * MB, outputBytes: 3 * MB, full: true }]
      const disk = { freeBytes: 100 * MB, totalBytes: 8_000 * MB, floorBytes: 512 * MB, low: true }
      await route.fulfill({ json: { ...known, disk, kinds, users } satisfies Storage })
    })
    await page.goto(`${phone.server.url}/admin`)
    const section = page.getByRole('region', { name: 'Storage' })
    await section.getByText(/Less than 512 MB is free\. New tasks are refused/).waitFor()
    const lines = (await section.getByRole('listitem').allInnerTexts()).map((text) => text.replace(/\s+/g, ' '))
    expect(lines).toEqual(
      expect.arrayContaining([
        'Free on the disk of 8000 MB 100 MB',
        'Work that was not pushed 1 file 34 MB',
        'Other files 2 files 1024 kB',
        `${NAME} Full: must delete tasks 11.7 GB`,
      ]),
    )
    await section.getByText('Kept: outputs for 30 days, bundles for 180 days, ended tasks for ever.').waitFor()
    const fits = await page.evaluate<boolean>('document.documentElement.scrollWidth <= innerWidth')
    expect([fits, await axeFaults(page)]).toEqual([true, []])
    await page.unrouteAll({ behavior: 'ignoreErrors' })
  })
})
