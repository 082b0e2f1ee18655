import { describe, expect, it } from '@jest/globals'
import { readConfig } from '../../coordinator/config.ts'

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
})
