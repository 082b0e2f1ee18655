import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { connect } from 'node:net'
import { execa } from 'execa'
import { waitFor } from '../checks/wait.ts'

/** A host on the public internet, as far as anybody on this machine can tell. It sends back on port 443 whatever it gets. */
export type PublicHost = {
  address: string
  /** An address beside it at which nobody answers. */
  silentAddress: string
  /** An address beside it that refuses every connection to port 443. */
  refusingAddress: string
  stop: () => Promise<void>
}

/** AS112's network (RFC 7535): public, and nobody needs it here. Each host takes 8 of its addresses. */
const NETWORK = '192.31.196'
const ECHO = "require('node:net').createServer((socket) => socket.on('error', () => {}).pipe(socket)).listen(443)"
const IMAGE = process.env.RUNNER_IMAGE ?? 'errand-worker:latest'

/** Starts it in a Docker network of its own with public addresses: that needs no internet, and no rights but those of Docker. */
export async function startPublicHost(): Promise<PublicHost> {
  const { name, first } = await createNetwork()
  const at = (offset: number) => `${NETWORK}.${first + offset}`
  const address = at(2)
  const given = ['--rm', '--detach', '--init', '--network', name, '--ip', address, '--user', '0', '--entrypoint', 'node']
  const { stdout: container } = await execa('docker', ['run', ...given, IMAGE, '-e', ECHO])
  await waitFor('the public host', () => answers(address), 30_000)
  return {
    address,
    silentAddress: at(3),
    refusingAddress: at(1),
    stop: async () => {
      await execa('docker', ['rm', '--force', container])
      await execa('docker', ['network', 'rm', name])
    },
  }
}

/** Another test may have the addresses that chance picks first. */
async function createNetwork(): Promise<{ name: string; first: number }> {
  for (let tries = 1; ; tries++) {
    const first = randomInt(32) * 8
    const name = `errand-test-${first}-${randomInt(1_000_000)}`
    try {
      await execa('docker', ['network', 'create', '--subnet', `${NETWORK}.${first}/29`, name])
      return { name, first }
    } catch (error) {
      if (tries === 20 || !/overlaps/i.test(String(error))) throw error
    }
  }
}

async function answers(address: string): Promise<boolean> {
  const socket = connect(443, address)
  try {
    await once(socket, 'connect')
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}
