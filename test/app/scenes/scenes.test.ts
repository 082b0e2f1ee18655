import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { axeFaults } from '../../support/browser/axe.ts'
import { touchFaults } from '../../support/browser/touch.ts'
import { waitFor } from '../../support/checks/wait.ts'
import { inLook, openScene, type World } from './scene.ts'
import { SCENES, startWorld } from './world.ts'

const SMALLEST = { width: 320, height: 640 }
const DESK = { width: 1280, height: 800 }

let world: World
beforeAll(async () => {
  world = await startWorld()
})
afterAll(() => world?.stop())

describe('every screen in every state, at 320 px', () => {
  it('has scenes of its own', () => {
    const names = SCENES.map(({ name }) => name)
    expect(names).toEqual([...new Set(names)])
    expect(names.length).toBeGreaterThan(90)
  })

  for (const scene of SCENES)
    it(`${scene.name}: nothing for axe to find, nothing wider than the window and nothing too small for a finger`, async () => {
      const page = await openScene(world, scene, { viewport: SMALLEST, hasTouch: true, isMobile: true })
      for (const colorScheme of ['light', 'dark'] as const) {
        await inLook(page, colorScheme)
        // In the dark, only colours differ.
        const faults = await axeFaults(page, colorScheme === 'light' ? [] : ['color-contrast'])
        expect({ colorScheme, faults }).toEqual({ colorScheme, faults: [] })
      }
      expect(await page.evaluate<number>('document.documentElement.scrollWidth')).toBe(SMALLEST.width)
      const small = await touchFaults(page)
      // A desk may have a touch screen too.
      await page.setViewportSize(DESK)
      expect({ small, smallOnDesk: await touchFaults(page) }).toEqual({ small: [], smallOnDesk: [] })
      await page.context().close()
    })

  it('would notice a screen that is wider, a picture without words, a small control and a small field', async () => {
    const page = await world.visitUnknown({ viewport: SMALLEST })
    await page.goto(`${world.url}/sign-in`)
    await page.getByText('npx errand link').waitFor()
    await page.evaluate("document.body.insertAdjacentHTML('beforeend', '<img width=500 height=1>')")
    await waitFor('the picture', () => page.locator('img').count())
    expect(await page.evaluate<number>('document.documentElement.scrollWidth')).toBeGreaterThan(SMALLEST.width)
    expect(await axeFaults(page)).toContainEqual(expect.stringContaining('image-alt'))
    await page.evaluate(
      `document.body.insertAdjacentHTML('beforeend', '<p>in a <a href="/">text</a></p><button>x</button><input id="small">')`,
    )
    // The page's policy binds the styles of what is written into it.
    await page.evaluate("document.getElementById('small').style.fontSize = '15px'")
    const small = await touchFaults(page)
    expect(small).toEqual([expect.stringMatching(/px: <button/), expect.stringMatching(/letters of 15 px: <input/)])
    await page.context().close()
  })
})
