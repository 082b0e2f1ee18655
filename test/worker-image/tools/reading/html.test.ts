import { createServer } from 'node:http'
import { describe, expect, it } from '@jest/globals'
import { htmlText } from '../../../../worker-image/tools/reading/html.ts'
import { createWebFetch } from '../../../../worker-image/tools/web-fetch.ts'
import { listen } from '../../../support/systems/temporary.ts'

describe('a page as text', () => {
  it('has its headings, lists, links and code, and nothing that is not read', () => {
    const page = `<html><head><title>The &amp; docs</title><style>p{}</style></head><body><script>if (a < b) alert("</p>")</script>
      <h1>API</h1><p>Call <a class="x" href="https://docs.example/f">f</a> with&nbsp;&#8217;x&#x27;.</p><!-- hidden <p> -->
      <ul><li>one</li><li>two</li></ul><pre><code>a  =  1
  b &lt; 2
</code></pre><SCRIPT>more</SCRIPT></body></html>`
    expect(htmlText(page)).toBe(
      "The & docs\n\n# API\n\nCall f (https://docs.example/f) with ’x'.\n\n- one\n- two\n```\na  =  1\n  b < 2\n```",
    )
  })

  it.each(['<!--', '<script>', '<pre>', '<a href="https:', '<', '&#', '<p ', '</pre>'])(
    'is made in no time of a page full of %s',
    (unit) => {
      const started = process.cpuUsage()
      htmlText(unit.repeat((1024 * 1024) / unit.length))
      expect(process.cpuUsage(started).user / 1000).toBeLessThan(1500)
    },
  )
})

describe('web_fetch', () => {
  it('shows a page in pieces, and a refusal in the words of the door', async () => {
    const { url, close } = await listen(
      createServer((request, response) => {
        if (request.url?.includes('evil'))
          return void response.writeHead(403).end('The sandbox may not reach evil.example. Allowed: docs.example.\n')
        response.writeHead(200, {
          'content-type': 'text/html; charset=iso-8859-1',
          'x-page-url': 'https://docs.example/',
          'x-page-status': '404',
        })
        response.end(Buffer.from(`<p>caf\xe9</p>${'x'.repeat(30_000)}`, 'latin1'))
      }),
    )
    try {
      const tool = createWebFetch(url)
      const { signal } = new AbortController()
      const { ok, text } = await tool.run({ url: 'https://docs.example/' }, signal)
      expect(ok).toBe(true)
      expect(text).toMatch(
        /^\(https:\/\/docs\.example\/: the host answered 404; characters 0 to 20000 of 30005; continue with offset 20000\)\ncafé\nx/,
      )
      expect((await tool.run({ url: 'https://docs.example/', offset: 20_000 }, signal)).text).toMatch(/\nx{10005}$/)
      expect(await tool.run({ url: 'https://evil.example/' }, signal)).toMatchObject({
        ok: false,
        text: expect.stringContaining('Allowed: docs.example.'),
      })
    } finally {
      await close()
    }
  })
})
