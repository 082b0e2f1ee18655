import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import type { Page } from 'playwright-core'
import type { Me } from '../../../../contract/api/api.ts'
import { waitFor } from '../../../support/checks/wait.ts'
import { type Phone, startPhone } from '../phone.ts'

let phone: Phone
let page: Page
let repoUrl: string

beforeAll(async () => {
  phone = await startPhone()
  repoUrl = (await phone.api<Me>('/api/me')).demoRepoUrl
})
afterAll(() => phone?.stop())

beforeEach(async () => {
  page = await phone.visit()
  await page.goto(`${phone.server.url}/new`)
})

function prompt() {
  return page.getByLabel('What should be done?')
}
function repository() {
  return page.getByLabel('Repository', { exact: true })
}
function branch() {
  return page.getByLabel('Base branch')
}
function budget() {
  return page.getByLabel('Budget (US dollars)')
}
async function fillAll() {
  await repository().fill(repoUrl)
  await prompt().fill('mend it')
  await page.getByText('Branch, model, effort, budget').click()
  await branch().fill('next')
  await budget().fill('0.75')
}
async function form() {
  return [await prompt().inputValue(), await repository().inputValue(), await branch().inputValue(), await budget().inputValue()]
}

describe('the form of a new task', () => {
  it('keeps all that was typed over a reload, its branch and budget too', async () => {
    await fillAll()
    await page.reload()
    await branch().waitFor()
    expect(await form()).toEqual(['mend it', repoUrl, 'next', '0.75'])
  })

  it('takes an example below what was typed already', async () => {
    await prompt().fill('half a thought')
    await page.goto(`${phone.server.url}/new?prompt=Add+a+greeting.`)
    await waitFor('the example', async () => (await prompt().inputValue()) === 'half a thought\n\nAdd a greeting.')
  })

  it('takes a task that was not sent back whole, and loses nothing of the next one', async () => {
    await fillAll()
    const error = { code: 'invalid', message: 'Not this one.', requestId: 'r' }
    let answers = false
    await page.route('**/api/tasks', (route) => {
      if (route.request().method() !== 'POST') return route.continue()
      return answers ? route.fulfill({ status: 400, json: { error } }) : undefined
    })
    await page.getByRole('button', { name: 'Send' }).click()
    await page.getByText('Saved on this device.').waitFor()
    answers = true
    await page.goto(phone.server.url)
    await page.getByText('Not this one.').waitFor()
    await page.goto(`${phone.server.url}/new`)
    await prompt().fill('another thought')
    await page.goto(phone.server.url)
    await page.getByRole('button', { name: 'Edit' }).click()
    await branch().waitFor()
    expect(await form()).toEqual(['another thought\n\nmend it', repoUrl, 'next', '0.75'])
  })
})
