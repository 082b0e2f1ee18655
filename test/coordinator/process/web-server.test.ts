import { once } from 'node:events'
import { createServer } from 'node:http'
import { connect } from 'node:net'
import { describe, expect, it } from '@jest/globals'
import { readConfig } from '../../../coordinator/process/config.ts'
import { reservePort } from '../../../coordinator/process/web-server.ts'

describe('a reserved port', () => {
  it('has its number at once, cuts whoever calls early, and serves after that', async () => {
    const { config, listen } = await reservePort(readConfig({ ERRAND_PORT: '0' }))
    expect(config.publicUrl).toBe(`http://127.0.0.1:${config.port}`)
    const early = connect(config.port, '127.0.0.1').on('error', () => undefined)
    await once(early, 'close')
    await expect(reservePort(config)).rejects.toThrow(/^Cannot listen on 127\.0\.0\.1:\d+\. Stop what uses it/)

    const server = createServer((_request, response) => response.end('served'))
    await listen(server)
    expect(await (await fetch(config.publicUrl)).text()).toBe('served')
    server.closeAllConnections()
    server.close()
    await once(server, 'close')
  })
})
