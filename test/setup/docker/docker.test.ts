import { once } from 'node:events'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { askSocket, readAnswer } from '../../../setup/docker/engine-facts.ts'
import { temporaryFolder } from '../../support/systems/temporary.ts'

function answer(status: number | null, stdout = '', stderr = '') {
  return { status, stdout, stderr }
}

describe('what `docker version` says about the engine', () => {
  it('takes the version of one that answers', () => {
    expect(readAnswer(answer(0, '20.10.24+dfsg1 1.41\n'))).toEqual({ state: 'answers', version: '20.10.24+dfsg1', api: '1.41' })
  })

  it('tells a missing right, a sleeping engine and one of another age apart', () => {
    const denied = 'Got permission denied while trying to connect to the Docker daemon socket at unix:///var/run/docker.sock: …'
    expect(readAnswer(answer(1, '\n', denied)).state).toBe('no_permission')
    expect(readAnswer(answer(1, '\n', 'Cannot connect to the Docker daemon at unix:///var/run/docker.sock.'))).toEqual({
      state: 'silent',
      error: 'Cannot connect to the Docker daemon at unix:///var/run/docker.sock.',
    })
    const apart = 'Error response from daemon: client version 1.90 is too new. Maximum supported API version is 1.41'
    expect(readAnswer(answer(1, '\n', apart))).toEqual({ state: 'mismatch', error: apart })
  })

  it('does not take an empty answer for an engine', () => {
    expect(readAnswer(answer(0, '\n')).state).toBe('silent')
  })
})

describe('what a socket answers without the docker command', () => {
  it.each([
    ['{"Version":"20.10.24","ApiVersion":"1.41"}', { state: 'answers', version: '20.10.24', api: '1.41' }],
    ['<html>', { state: 'silent', error: 'the socket answers, but not as a Docker engine: <html>' }],
  ])('%s', async (body, state) => {
    const folder = await temporaryFolder()
    const path = join(folder.path, 'docker.sock')
    const server = createServer((request, response) => response.end(request.url === '/version' ? body : 'null')).listen(path)
    try {
      await once(server, 'listening')
      expect(await askSocket(path)).toEqual(state)
    } finally {
      server.close()
      await folder.remove()
    }
    expect((await askSocket(path)).state).toBe('silent')
  })
})
