import { describe, expect, it } from '@jest/globals'
import { readConfig } from '../../../runner/process/config.ts'

const token = { RUNNER_TOKEN: 'a token of some length' }

describe('the configuration of a runner', () => {
  it('needs nothing but a token, and is frozen', () => {
    const config = readConfig({ ...token, RUNNER_SLOTS: '' })
    expect(config).toMatchObject({
      coordinatorUrl: 'http://127.0.0.1:3000',
      image: 'errand-worker:latest',
      allowedHosts: [],
      runtime: null,
    })
    expect(config.slots).toBeGreaterThanOrEqual(1)
    expect(Object.isFrozen(config)).toBe(true)
  })

  it('takes lists, units and addresses as meant', () => {
    const given = {
      RUNNER_ALLOWED_HOSTS: 'pypi.org, .pythonhosted.ORG',
      COORDINATOR_URL: 'https://errand.example/',
      RUNNER_CPUS: '0.5',
    }
    expect(readConfig({ ...token, ...given })).toMatchObject({
      allowedHosts: ['pypi.org', '.pythonhosted.org'],
      coordinatorUrl: 'https://errand.example',
      cpus: 0.5,
    })
  })

  it('names everything that is wrong, at once', () => {
    const wrong = { RUNNER_SLOTS: '0', REDIS_URL: 'http://x', RUNNER_ALLOWED_HOSTS: 'https://x/', DOCKER_HOST: 'docker' }
    expect(() => readConfig(wrong)).toThrow(
      expect.objectContaining({
        message: expect.stringMatching(
          /^(?=[\s\S]*RUNNER_SLOTS)(?=[\s\S]*REDIS_URL)(?=[\s\S]*RUNNER_ALLOWED_HOSTS)(?=[\s\S]*DOCKER_HOST)/,
        ),
      }),
    )
    expect(() => readConfig({})).toThrow('RUNNER_TOKEN')
  })
})
