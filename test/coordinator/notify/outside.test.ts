import { describe, expect, it } from '@jest/globals'
import { createOutside } from '../../../coordinator/notify/outside.ts'

describe('outside addresses', () => {
  const outside = createOutside(false)
  const post = (url: string) => outside.post({ url, headers: {}, body: '' })

  it.each([
    ['http://example.org/hook', /https/],
    ['https://127.0.0.1/hook', /public internet/],
    ['https://0x7f.1/hook', /public internet/],
    ['https://[::1]/hook', /public internet/],
    ['https://[::ffff:10.0.0.1]/hook', /public internet/],
    ['https://169.254.169.254/latest', /public internet/],
  ])('%s is refused when it is set', (url, why) => {
    expect(() => outside.check(url)).toThrow(why)
  })

  it('a name that leads to a private network is refused when it is called', async () => {
    expect(() => outside.check('https://localhost/hook')).not.toThrow()
    await expect(post('https://localhost/hook')).rejects.toThrow(/localhost is not on the public internet.*ERRAND_ALLOW_PRIVATE/)
  })
})
