import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { describe, expect, it } from '@jest/globals'
import { Redis } from 'ioredis'
import { connectForListening } from '../../../runner/river/redis.ts'
import { waitFor } from '../../support/checks/wait.ts'
import { closeAfterEach } from '../../support/systems/closing.ts'
import { startRedis } from '../../support/systems/redis.ts'
import { freePort } from '../../support/systems/temporary.ts'

const closers = closeAfterEach()

/** A way to Redis that can forget its connections as a firewall does: they stay open, and nothing comes through any more. */
async function forgetfulWay(port: number) {
  const ways = new Set<{ from: Socket; to: Socket }>()
  const server = createServer((from) => {
    const to = connect(port, '127.0.0.1')
    ways.add({ from, to })
    from.pipe(to).pipe(from)
    for (const [one, other] of [
      [from, to],
      [to, from],
    ] as const)
      one.on('error', () => other.destroy()).on('close', () => other.destroy())
  })
  const own = await freePort()
  await new Promise<void>((done) => server.listen(own, '127.0.0.1', done))
  closers.push(() => {
    server.close()
    for (const { from } of ways) from.destroy()
  })
  return {
    url: `redis://127.0.0.1:${own}`,
    forget: () => {
      for (const { from, to } of ways) {
        from.unpipe(to).resume()
        to.unpipe(from).resume()
      }
    },
  }
}

describe('listening', () => {
  it('goes on after the network forgot the connection without a word', async () => {
    const server = await startRedis({ persistent: false })
    closers.push(server.stop)
    const way = await forgetfulWay(server.port)
    const listener = connectForListening({
      url: way.url,
      channel: 'words',
      onError: () => undefined,
      pingEveryMs: 50,
      silentMs: 200,
    })
    closers.push(() => listener.disconnect())
    const heard: string[] = []
    listener.on('message', (_channel, text) => heard.push(text))
    const speaker = new Redis(server.url)
    closers.push(() => speaker.disconnect())
    await waitFor('the listener', async () => (await speaker.publish('words', 'before')) === 1)
    await waitFor('the first word', () => heard.includes('before'))
    way.forget()
    await waitFor('a word after it', async () => {
      await speaker.publish('words', 'after')
      return heard.includes('after')
    })
    expect(heard.filter((word) => word === 'before')).toEqual(['before'])
  })

  // A rejection that nobody catches would end the process, and fails this test.
  it('can be ended in the moment in which Redis is back', async () => {
    const server = await startRedis({ persistent: false })
    closers.push(server.stop)
    const way = await forgetfulWay(server.port)
    const listener = connectForListening({ url: way.url, channel: 'words', onError: () => undefined })
    await once(listener, 'ready')
    await listener.ping()
    listener.once('ready', () => {
      way.forget()
      listener.disconnect()
    })
    await server.kill()
    await server.start()
    await waitFor('the end', () => listener.status === 'end')
  })
})
