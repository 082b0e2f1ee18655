import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { nodeFault } from '../../../setup/machine/node-version.mjs'

async function read(name: string) {
  return JSON.parse(await readFile(join(import.meta.dirname, '../../..', name), 'utf8'))
}

describe('the Node that Errand runs on', () => {
  it('is one that all its packages take, and no other', () => {
    for (const version of ['20.19.0', '20.20.2', '22.12.0', '23.0.0', '24.19.1']) expect(nodeFault(version)).toBeNull()
    for (const version of ['18.20.0', '20.18.3', '21.7.3', '22.0.0', '22.11.0'])
      expect(nodeFault(version)).toMatch(`this is ${version}.`)
  })

  it('is the range of package.json, which is that of the app builder', async () => {
    const { engines } = await read('package.json')
    const { packages } = await read('package-lock.json')
    expect(engines).toEqual(packages['node_modules/vite'].engines)
    expect(packages[''].engines).toEqual(engines)
  })
})
