import { cp, mkdir } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { execa } from 'execa'
import { freePort, temporaryFolder } from '../support/systems/temporary.ts'

const root = join(import.meta.dirname, '../..')
const BUILT_FROM = [
  'app',
  'tsconfig.json',
  'docker-compose.yml',
  '.dockerignore',
  'package.json',
  'package-lock.json',
  'bin',
  'cli',
  'contract',
  'client',
  'coordinator',
  'runner',
  'worker-image',
]

export type Compose = {
  url: string
  /** Runs a sub-command of compose on this project; answers its standard output. */
  run: (...args: string[]) => Promise<string>
  /** Starts the services in the background. A failure's error holds the end of their logs. */
  up: (...args: string[]) => Promise<void>
  /** How often the engine had to start the service's containers again. */
  restarts: (service: string) => Promise<number[]>
  /** Ends everything, and forgets its volumes. */
  down: () => Promise<void>
}

/**
 * A compose project of the test's own: its own name, port, volumes and runner folder, in a copy of the repository's sources with no .env.
 * @param environment the variables that an .env could have
 */
export async function openCompose(environment: Record<string, string> = {}): Promise<Compose> {
  const folder = await temporaryFolder()
  const place = join(folder.path, 'errand')
  await mkdir(place)
  const filter = (from: string) => !['node_modules', 'dist'].includes(basename(from))
  for (const name of BUILT_FROM) await cp(join(root, name), join(place, name), { recursive: true, filter })
  const certificates = process.env.NODE_EXTRA_CA_CERTS
  if (certificates) await cp(certificates, join(place, 'extra-ca.pem'))

  const port = await freePort()
  const project = `errand-test-${port}`
  const variables = {
    ...pick('PATH', 'HOME', 'DOCKER_HOST', 'ERRAND_BASE_IMAGE'),
    ERRAND_REDIS_IMAGE: await redisImage(),
    ERRAND_LISTEN: `127.0.0.1:${port}`,
    ERRAND_RUNNER_HOME: join(folder.path, 'runner'),
    ...environment,
  }
  const [command, ...before] = await composeCommand()
  const run = async (...args: string[]) => {
    const options = { cwd: place, env: variables, extendEnv: false } as const
    return (await execa(command, [...before, '--project-name', project, ...args], options)).stdout
  }
  const up = async (...args: string[]) => {
    await run('up', '--detach', ...args).catch(async (fault: Error) => {
      // Compose says only that a service is unhealthy; why, its log says.
      throw new Error(`${fault.message}\n${await run('logs', '--no-color', '--tail', '40')}`)
    })
  }
  return {
    url: `http://127.0.0.1:${port}`,
    run,
    up,
    restarts: async (service) => {
      const ids = (await run('ps', '--quiet', service)).split('\n')
      return (await execa('docker', ['inspect', '--format', '{{.RestartCount}}', ...ids])).stdout.split('\n').map(Number)
    },
    down: async () => {
      await run('down', '--volumes', '--timeout', '20')
      await folder.remove()
    },
  }
}

function pick(...names: string[]) {
  return Object.fromEntries(names.flatMap((name) => (process.env[name] ? [[name, process.env[name]]] : [])))
}

async function composeCommand(): Promise<[string, ...string[]]> {
  const plugin = await execa('docker', ['compose', 'version'], { reject: false })
  return plugin.failed ? ['docker-compose'] : ['docker', 'compose']
}

/** The public image; where that can be neither found nor pulled, Debian's Redis on our base image. */
async function redisImage(): Promise<string> {
  const image = 'redis:7-bookworm'
  const docker = (...args: string[]) => execa('docker', args, { reject: false })
  if (!(await docker('image', 'inspect', image)).failed || !(await docker('pull', '--quiet', image)).failed) return image
  const lines = [
    `FROM ${process.env.ERRAND_BASE_IMAGE ?? 'node:24-bookworm-slim'}`,
    'RUN apt-get update && apt-get install --yes --no-install-recommends redis-server && rm -rf /var/lib/apt/lists/*',
    'WORKDIR /data',
  ]
  await execa('docker', ['build', '--tag', 'errand-test-redis', '-'], { input: lines.join('\n') })
  return 'errand-test-redis'
}
