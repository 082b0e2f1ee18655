import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { havingImage, imageId } from '../docker/docker-images.ts'
import { aptInstall, canApt } from '../machine/apt.mjs'
import { runShown } from '../process/progress.mjs'

const BASE_IMAGE = 'node:24-bookworm-slim'
/** Our own base image, if the public one cannot be pulled. */
const OWN_BASE_IMAGE = 'errand-base:node24'

/** npm publishes the official Node binaries, one package per platform, named after Node's architectures. */
const nodePackage = `node-linux-${process.arch}@24`

/**
 * Finds the base image for our Dockerfiles: the public one or, on a Debian machine that cannot pull it, one with the same layout built from
 * Debian and npm packages.
 * @throws Error that says how to get it
 */
export async function findBaseImage(): Promise<{ tag: string; id: string }> {
  const isMade = imageId(OWN_BASE_IMAGE) !== null && imageId(BASE_IMAGE) === null
  const tag = isMade ? OWN_BASE_IMAGE : (await havingImage(BASE_IMAGE)) ? BASE_IMAGE : await makeBaseImage()
  const id = imageId(tag)
  if (id) return { tag, id }
  throw new Error(`The image ${tag} has just disappeared from the Docker engine. Start again.`)
}

async function makeBaseImage(): Promise<string> {
  if (!canApt())
    throw new Error(`Docker could not pull ${BASE_IMAGE}. Check the machine's network, then run: docker pull ${BASE_IMAGE}`)
  console.log(`Building ${OWN_BASE_IMAGE} from Debian and npm packages instead (a minute or two) …`)
  await aptInstall(['mmdebstrap', 'ca-certificates'])
  const folder = mkdtempSync(join(tmpdir(), 'errand-base-'))
  try {
    const minimal = ['--quiet', '--variant=minbase', '--include=ca-certificates']
    const lean = ['--dpkgopt=path-exclude=/usr/share/man/*', '--dpkgopt=path-exclude=/usr/share/doc/*']
    await step('mmdebstrap', [...minimal, ...lean, 'bookworm', join(folder, 'debian.tar')], folder)
    await step('docker', ['import', join(folder, 'debian.tar'), `${OWN_BASE_IMAGE}-debian`], folder)
    await unpack(folder, nodePackage, 'node')
    await unpack(folder, 'npm@11', 'npm')
    writeFileSync(join(folder, 'Dockerfile'), DOCKERFILE)
    writeFileSync(join(folder, '.dockerignore'), '*\n!node\n!npm\n')
    await step('docker', ['build', '--tag', OWN_BASE_IMAGE, folder], folder)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
  return OWN_BASE_IMAGE
}

async function unpack(folder: string, name: string, into: string): Promise<void> {
  const file = (await step('npm', ['pack', '--silent', name], folder)).at(-1) ?? ''
  mkdirSync(join(folder, into))
  await step('tar', ['-xzf', file, '-C', into, '--strip-components=1'], folder)
}

async function step(file: string, args: readonly string[], folder: string): Promise<string[]> {
  const what = `${file} ${args.find((word) => !word.startsWith('-')) ?? ''}`
  console.log(`  ${what}`)
  const answer = await runShown(file, args, { cwd: folder })
  if (answer.status === 0) return answer.stdout
  throw new Error(`The base image could not be built: ${what} failed.\n${answer.lines.slice(-5).join('\n')}`)
}

/** Like the public image: Node and npm below /usr/local, and the user `node` with id 1000. */
const DOCKERFILE = `FROM ${OWN_BASE_IMAGE}-debian
RUN groupadd --gid 1000 node && useradd --uid 1000 --gid node --shell /bin/bash --create-home node
COPY node/bin/node /usr/local/bin/node
COPY node/include /usr/local/include
COPY npm /usr/local/lib/node_modules/npm
RUN ln -s ../lib/node_modules/npm/bin/npm-cli.js /usr/local/bin/npm \\
 && ln -s ../lib/node_modules/npm/bin/npx-cli.js /usr/local/bin/npx \\
 && ln -s node /usr/local/bin/nodejs && node --version && npm --version
CMD ["node"]
`
