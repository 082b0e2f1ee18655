import { describe, expect, it } from '@jest/globals'
import { readConfig as readCoordinatorConfig } from '../../../coordinator/process/config.ts'
import { readConfig as readRunnerConfig } from '../../../runner/process/config.ts'
import { coordinatorVariables, type Found, localUrl, readEnvironment, runnerVariables } from '../../../setup/stack/environment.ts'

const found: Found = {
  port: 4000,
  redisUrl: 'redis://:pw@127.0.0.1:7000',
  dockerHost: null,
  image: 'errand-worker:abc',
  npmRegistry: 'https://registry.example.org',
  prettyLog: false,
}

describe('what the two processes are started with', () => {
  const environment = readEnvironment({
    ERRAND_DATA_DIR: '/srv/errand',
    ANTHROPIC_API_KEY: 'sk-canary',
    ERRAND_SECRET_KEY: 'f'.repeat(64),
    GITHUB_CLIENT_ID: 'id',
    GITHUB_CLIENT_SECRET: 'gh-canary',
    RUNNER_SLOTS: '3',
  })

  it('is a whole configuration to each of them', () => {
    const coordinator = readCoordinatorConfig(coordinatorVariables(environment, found))
    const runner = readRunnerConfig(runnerVariables(environment, found))
    expect(coordinator).toMatchObject({
      port: 4000,
      dataDir: '/srv/errand',
      redisUrl: found.redisUrl,
      anthropicApiKey: 'sk-canary',
    })
    expect(runner).toMatchObject({
      coordinatorUrl: 'http://127.0.0.1:4000',
      tokenFile: '/srv/errand/runner-token',
      dataDir: '/srv/errand/runner',
      slots: 3,
      image: 'errand-worker:abc',
      npmRegistryUrl: 'https://registry.example.org',
    })
  })

  it("hands the runner none of the coordinator's secrets", () => {
    expect(JSON.stringify(runnerVariables(environment, found))).not.toMatch(/canary|ffff/)
  })

  it('lets both keep the runner token in the same file: the one that is named, or one in the data folder', () => {
    const files = (variables: Record<string, string>) => {
      const read = readEnvironment({ ERRAND_DATA_DIR: '/srv/errand', ...variables })
      const coordinator = readCoordinatorConfig(coordinatorVariables(read, found)).runnerTokenFile
      return [coordinator ?? '/srv/errand/runner-token', readRunnerConfig(runnerVariables(read, found)).tokenFile]
    }
    for (const RUNNER_TOKEN_FILE of ['', '/srv/errand/runner-token', '/etc/errand/token'])
      expect(files({ RUNNER_TOKEN_FILE })).toEqual(Array(2).fill(RUNNER_TOKEN_FILE || '/srv/errand/runner-token'))
  })

  it("gives the runner a folder that is short enough for its sockets' paths, the same one each time", () => {
    const deep = readEnvironment({ ERRAND_DATA_DIR: `/home/${'long/'.repeat(20)}errand` })
    const folder = runnerVariables(deep, found).RUNNER_DATA_DIR ?? ''
    expect(folder.length).toBeLessThanOrEqual(77)
    expect(runnerVariables(deep, found).RUNNER_DATA_DIR).toBe(folder)
    expect(runnerVariables(readEnvironment({ ERRAND_DATA_DIR: '/srv/other' }), found).RUNNER_DATA_DIR).toBe('/srv/other/runner')
  })

  it('lets a registry that was set by hand stand', () => {
    const chosen = readEnvironment({ RUNNER_NPM_REGISTRY: 'https://npm.example.com' })
    expect(runnerVariables(chosen, found).RUNNER_NPM_REGISTRY).toBe('https://npm.example.com')
  })
})

describe('reading the environment', () => {
  it('takes an empty variable for an absent one', () => {
    expect(readEnvironment({ ERRAND_PORT: '', REDIS_URL: '', ANTHROPIC_API_KEY: '', RUNNER_IMAGE: '' })).toMatchObject({
      port: 3000,
      redisUrl: null,
      hasModelKey: false,
      image: null,
    })
  })

  it('names the variable when the port is none', () => {
    expect(() => readEnvironment({ ERRAND_PORT: '80a' })).toThrow(/ERRAND_PORT is "80a"/)
  })

  it('reaches a server that listens everywhere by the loopback address', () => {
    expect(localUrl('0.0.0.0', 1)).toBe('http://127.0.0.1:1')
    expect(localUrl('::1', 1)).toBe('http://[::1]:1')
    expect(localUrl('192.0.2.1', 1)).toBe('http://192.0.2.1:1')
  })
})
