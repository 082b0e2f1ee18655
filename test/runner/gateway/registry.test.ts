import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { execa } from 'execa'
import { type NpmRegistry, startNpmRegistry } from '../../support/outside/npm-registry.ts'
import { type TemporaryFolder, temporaryFolder } from '../../support/systems/temporary.ts'
import { type Door, openDoor, rawRequest } from './door.ts'

describe("npm's registry through the door", () => {
  let registry: NpmRegistry
  let door: Door
  let folder: TemporaryFolder

  beforeEach(async () => {
    registry = await startNpmRegistry([
      { name: 'is-fine', version: '1.2.3', files: { 'index.js': 'module.exports = "fine"\n' } },
      { name: '@scope/thing', version: '2.0.0', files: { 'index.js': 'module.exports = "scoped"\n' } },
    ])
    door = await openDoor({}, { npmRegistryUrl: registry.url })
    folder = await temporaryFolder()
  })
  afterEach(async () => {
    await door.close()
    await registry.stop()
    await folder.remove()
  })

  const npm = (...args: string[]) =>
    execa('npm', args, {
      cwd: folder.path,
      reject: false,
      all: true,
      extendEnv: false,
      env: {
        PATH: process.env.PATH,
        HOME: folder.path,
        npm_config_registry: `${door.hands.url}/npm/`,
        npm_config_audit: 'false',
        npm_config_update_notifier: 'false',
        [`npm_config_//127.0.0.1:${door.hands.port}/npm/:_authToken`]: 'CANARY-token',
      },
    })

  it('installs packages, scoped ones too, and leaves no address of the door in the lock file', async () => {
    await writeFile(join(folder.path, 'package.json'), '{"name":"x","version":"1.0.0"}')
    const { failed, all } = await npm('install', 'is-fine', '@scope/thing')
    expect([failed, all]).toEqual([false, expect.stringContaining('added 2 packages')])
    const { stdout } = await execa('node', ['-p', 'require("is-fine") + require("@scope/thing")'], { cwd: folder.path })
    expect(stdout).toBe('finescoped')
    const lock = await readFile(join(folder.path, 'package-lock.json'), 'utf8')
    expect(lock).toContain('https://registry.npmjs.org/is-fine/-/is-fine-1.2.3.tgz')
    expect(lock).not.toContain('127.0.0.1')
    expect(registry.complaints).toEqual([])
  })

  it('installs from such a lock file again', async () => {
    await writeFile(join(folder.path, 'package.json'), '{"name":"x","version":"1.0.0"}')
    await npm('install', 'is-fine')
    await npm('cache', 'clean', '--force')
    const { failed, all } = await npm('ci')
    expect([failed, all]).toEqual([false, expect.stringContaining('added 1 package')])
  })

  it('gives out a tarball alone, for which npm leaves the path of its registry away', async () => {
    const { failed, all } = await npm('pack', 'is-fine')
    expect([failed, all]).toEqual([false, expect.stringContaining('is-fine-1.2.3.tgz')])
    expect(door.log.join('')).toContain('"path":"/is-fine/-/is-fine-1.2.3.tgz"')
  })

  it('publishes nothing', async () => {
    await writeFile(join(folder.path, 'package.json'), '{"name":"leak","version":"1.0.0"}')
    const { failed, all } = await npm('publish')
    expect([failed, all]).toEqual([true, expect.stringContaining('403')])
    expect(registry.requests.filter((line) => !line.startsWith('GET '))).toEqual([])
  })

  it.each([
    ['PUT', '/npm/is-fine'],
    ['POST', '/npm/-/npm/v1/security/advisories/bulk'],
    ['DELETE', '/npm/is-fine'],
    ['GET', '/npm/is-fine?x=secret'],
    ['GET', '/npm/%2e%2e/is-fine'],
    ['GET', '/npm/..%2fis-fine'],
    ['GET', '/npm//is-fine'],
    ['GET', '/npm/-/all'],
    ['GET', '/npm/is-fine/-/deep/er.tgz'],
    ['GET', '/npm/@scope%2f..%2fother'],
    ['GET', '/npm/'],
    ['PUT', '/is-fine/-/is-fine-1.2.3.tgz'],
  ])('refuses %s %s, and the registry sees no request', async (method, path) => {
    expect(await rawRequest({ ...door, ...door.hands }, method, path)).toMatch(/^HTTP\/1\.1 403 /)
    expect(registry.requests).toEqual([])
  })

  it('passes 404 on, and answers HEAD', async () => {
    expect((await fetch(`${door.hands.url}/npm/unknown`)).status).toBe(404)
    const head = await fetch(`${door.hands.url}/npm/@scope%2fthing`, { method: 'HEAD' })
    expect([head.status, head.headers.get('content-type')]).toEqual([200, 'application/vnd.npm.install-v1+json'])
  })

  it('says so when the registry is away', async () => {
    const away = await openDoor({}, { npmRegistryUrl: 'http://127.0.0.1:1' })
    const response = await fetch(`${away.hands.url}/npm/is-fine`)
    expect([response.status, await response.text()]).toEqual([502, 'The package registry cannot be reached (ECONNREFUSED).\n'])
    await away.close()
  })
})
