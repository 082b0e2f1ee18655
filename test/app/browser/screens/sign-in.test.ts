import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import type { Page } from 'playwright-core'
import { linkPath } from '../../../../app/src/sign-in/link-path.ts'
import { axeFaults } from '../../../support/browser/axe.ts'
import { openPage, signIn } from '../../../support/browser/browser.ts'
import { type Phone, SMALL, startPhone } from '../phone.ts'

let phone: Phone
beforeAll(async () => {
  phone = await startPhone()
})
afterAll(() => phone?.stop())

async function stranger(): Promise<Page> {
  const { page } = await openPage(phone.browser, SMALL)
  await page.goto(`${phone.server.url}/projects`)
  await page.getByText('npx errand link').waitFor()
  return page
}

describe('the sign-in screen', () => {
  it('takes a link that is pasted, and says what is none', async () => {
    const page = await stranger()
    const field = page.getByLabel('Or paste the link')
    const open = page.getByRole('button', { name: 'Open link' })
    await field.fill('https://elsewhere.example/')
    await open.click()
    await page.getByText("This isn't a sign-in link.").waitFor()
    expect(await axeFaults(page)).toEqual([])
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(320)
    await field.fill(await phone.link())
    await open.click()
    await page.getByRole('button', { name: 'Sign in' }).click()
    await page.getByRole('heading', { level: 1, name: 'Projects' }).waitFor()
  })

  it('goes on when the person comes back signed in by another window', async () => {
    const page = await stranger()
    const other = await page.context().newPage()
    await signIn(other, await phone.link())
    await other.close()
    await page.bringToFront()
    await page.evaluate("dispatchEvent(new Event('focus'))")
    await page.getByRole('heading', { level: 1, name: /Projects|Tasks/ }).waitFor()
  })
})

describe('a pasted link', () => {
  it('leads to this server alone, and only to the page of a sign-in link', () => {
    const path = '/auth/link?code=aB3_-x'
    for (const text of [`http://10.0.0.7:3000${path}`, ` ${path}\n`, `Open https://errand.example${path} to sign in`])
      expect([text, linkPath(text)]).toEqual([text, path])
    for (const text of [
      '',
      'aB3_-x',
      '/auth/link',
      '/auth/link?code=',
      'https://a.example/?code=aB3',
      `/auth/link?code=${'x'.repeat(201)}`,
    ])
      expect([text, linkPath(text)]).toEqual([text, null])
  })
})
