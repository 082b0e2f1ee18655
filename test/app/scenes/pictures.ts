/**
 * Takes a picture of every scene, in light and dark and at the widths of a small phone, a phone and a desk: `npm run pictures -- <folder> [names of scenes]`.
 * An `index.html` beside them shows all; the README's own are put together from them.
 */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { makePlates } from './plates.ts'
import { inLook, openScene, type Scene, type World } from './scene.ts'
import { SCENES, startWorld } from './world.ts'

const SIZES = { 320: { width: 320, height: 640 }, 390: { width: 390, height: 844 }, 1280: { width: 1280, height: 800 } } as const
const LOOKS = ['light', 'dark'] as const

async function main([folder, ...names]: readonly string[]): Promise<void> {
  if (!folder) throw new Error('Say where the pictures go: npm run pictures -- <folder>')
  const scenes = SCENES.filter(({ name }) => names.length === 0 || names.includes(name))
  const taken = new Set<string>()
  const world = await startWorld()
  try {
    for (const width of Object.keys(SIZES)) for (const look of LOOKS) await mkdir(join(folder, width, look), { recursive: true })
    for (const scene of scenes) {
      const fault = await takeScene(world, scene, folder).catch((error: unknown) => String(error))
      process.stderr.write(fault ? `${scene.name}: ${fault}\n` : `${scene.name}\n`)
      if (fault) process.exitCode = 1
      else taken.add(scene.name)
    }
    await writeFile(join(folder, 'index.html'), indexOf(scenes))
    await makePlates(await world.visitUnknown({ viewport: { width: 1800, height: 1000 } }), folder, taken)
  } finally {
    await world.stop()
  }
}

/** A desk has a mouse and no touch: it is a page of its own, drawn at the same time. */
async function takeScene(world: World, scene: Scene, folder: string): Promise<null> {
  await Promise.all([takeOnPhone(world, scene, folder), takeOnDesk(world, scene, folder)])
  return null
}

async function takeOnPhone(world: World, scene: Scene, folder: string): Promise<void> {
  const page = await openScene(world, scene, { viewport: SIZES[390], hasTouch: true, isMobile: true, deviceScaleFactor: 2 })
  for (const width of [390, 320] as const) await take(page, scene, width, folder)
  await page.context().close()
}

async function takeOnDesk(world: World, scene: Scene, folder: string): Promise<void> {
  const page = await openScene(world, scene, { viewport: SIZES[1280] })
  await take(page, scene, 1280, folder)
  await page.context().close()
}

async function take(page: Page, { name }: Scene, width: keyof typeof SIZES, folder: string): Promise<void> {
  await page.setViewportSize(SIZES[width])
  for (const colorScheme of LOOKS) {
    await inLook(page, colorScheme)
    await page.screenshot({
      path: join(folder, String(width), colorScheme, `${name}.png`),
      animations: 'disabled',
      caret: 'hide',
    })
  }
}

function indexOf(scenes: readonly Scene[]): string {
  return `<!doctype html><meta charset="utf-8"><title>Pictures</title><style>body{font:14px system-ui;margin:2rem}img{margin:.5rem;border:1px solid #ccc;height:420px}</style>
${scenes
  .map(
    ({ name }) =>
      `<h2>${name}</h2>${Object.keys(SIZES)
        .flatMap((width) =>
          LOOKS.map((look) => `<img loading="lazy" alt="${name}, ${width} px, ${look}" src="${width}/${look}/${name}.png">`),
        )
        .join('')}`,
  )
  .join('\n')}
`
}

await main(process.argv.slice(2))
