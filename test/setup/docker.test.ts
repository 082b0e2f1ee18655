import { describe, expect, it } from '@jest/globals'
import { noDocker, readEngineState } from '../../setup/docker.ts'

const answer = (status: number | null, stdout = '', stderr = '', missing = false) => ({ status, stdout, stderr, missing })

describe('what `docker version` says about the engine', () => {
  it('takes the version of one that answers', () => {
    expect(readEngineState(answer(0, '20.10.24+dfsg1\n'))).toEqual({ state: 'answers', version: '20.10.24+dfsg1' })
  })

  it('tells a missing command, a missing right and a sleeping engine apart', () => {
    const denied = 'Got permission denied while trying to connect to the Docker daemon socket at unix:///var/run/docker.sock: …'
    expect(readEngineState(answer(null, '', '', true)).state).toBe('no_command')
    expect(readEngineState(answer(1, '\n', denied)).state).toBe('no_permission')
    expect(readEngineState(answer(1, '\n', 'Cannot connect to the Docker daemon at unix:///var/run/docker.sock.'))).toEqual({
      state: 'not_running',
      said: 'Cannot connect to the Docker daemon at unix:///var/run/docker.sock.',
    })
  })

  it('does not take an empty answer for an engine', () => {
    expect(readEngineState(answer(0, '\n')).state).toBe('not_running')
  })
})

describe('what to do where there is no Docker', () => {
  it('says all of it at once: who is not root has to be let in after the installation, and to sign in again', () => {
    expect(noDocker(false)).toMatch(/apt-get install .*docker\.io && sudo usermod -aG docker "\$USER"\n.*sign in again/s)
    expect(noDocker(true)).not.toMatch(/usermod|sign in/)
  })
})
