import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { nodeFault, readNpm } from '../../../setup/machine/packages.mjs'

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

describe('what npm ci is at', () => {
  it('is how much it fetched, and then whose script runs', () => {
    const read = readNpm()
    expect(read('npm http fetch GET 200 https://registry.example/a 12ms (cache miss)')).toBe('1 downloads')
    expect(read('npm http fetch GET 200 https://registry.example/b 12ms (cache hit)')).toBe('2 downloads')
    expect(read('npm info run better-sqlite3@12.11.1 install node_modules/better-sqlite3 prebuild-install')).toBe(
      'better-sqlite3@12.11.1 install',
    )
    expect(read('npm info run better-sqlite3@12.11.1 install { code: 0, signal: null }')).toBeNull()
    expect(read('npm warn deprecated x')).toBeNull()
  })
})
