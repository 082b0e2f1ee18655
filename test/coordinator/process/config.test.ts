import { describe, expect, it } from '@jest/globals'
import { readConfig } from '../../../coordinator/process/config.ts'

describe('the address under which people open the server', () => {
  const of = (environment: Record<string, string>) => readConfig(environment).publicUrl

  it('is where it listens, when nothing else is said', () => {
    expect(of({})).toBe('http://127.0.0.1:3000')
    expect(of({ ERRAND_HOST: '192.0.2.7', ERRAND_PORT: '0' })).toBe('http://192.0.2.7:0')
    expect(of({ ERRAND_HOST: 'errand.local', ERRAND_PORT: '80' })).toBe('http://errand.local')
    expect(of({ ERRAND_HOST: '::1' })).toBe('http://[::1]:3000')
  })

  it('is the loopback address when it listens everywhere', () => {
    for (const ERRAND_HOST of ['0.0.0.0', '::', '0:0:0:0:0:0:0:0']) expect(of({ ERRAND_HOST })).toBe('http://127.0.0.1:3000')
  })

  it('has to be said when there can be none with that host, before anything listens', () => {
    expect(() => of({ ERRAND_HOST: 'fe80::1%eth0' })).toThrow(/ERRAND_PUBLIC_URL/)
    expect(of({ ERRAND_HOST: 'fe80::1%eth0', ERRAND_PUBLIC_URL: 'https://errand.example/' })).toBe('https://errand.example')
  })

  it.each(['/errand', '/errand/', '?a=b', '#a'])('is refused with %s after the host, which would have no effect', (rest) => {
    expect(() => of({ ERRAND_PUBLIC_URL: `https://home.example:8443${rest}` })).toThrow(
      /like https:\/\/home\.example:8443\. Errand cannot be served below a path: give it its own host name.*its own port[\s\S]*ERRAND_PUBLIC_URL/,
    )
  })
})

describe('a host that is named in the configuration', () => {
  it.each(['ERRAND_GIT_HOSTS', 'GITHUB_URL'])('stands alone in %s: a path would allow more than it seems to', (name) => {
    const given = 'https://github.com, https://git.example/team'
    expect(() => readConfig({ [name]: name === 'GITHUB_URL' ? 'https://git.example/team' : given })).toThrow(
      new RegExp(`must end after host and port, like https://git\\.example\\.[\\s\\S]*${name}`),
    )
    expect(readConfig({ ERRAND_GIT_HOSTS: 'https://git.example/, http://10.0.0.5:3080' }).gitHosts).toEqual([
      'https://git.example',
      'http://10.0.0.5:3080',
    ])
  })
})
