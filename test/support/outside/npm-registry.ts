import { createHash } from 'node:crypto'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { execa } from 'execa'
import { listen, temporaryFolder } from '../systems/temporary.ts'

export type NpmPackage = { name: string; version: string; files: Record<string, string> }

export type NpmRegistry = {
  /** `http://127.0.0.1:<port>/`. */
  url: string
  /** Every request so far, as `METHOD /path`. */
  requests: string[]
  /** What came and never should have: credentials, cookies, queries, anything but GET and HEAD. */
  complaints: string[]
  stop: () => Promise<void>
}

/**
 * A small and strict stand-in for npm's registry.
 * @param tarballHost origin that its documents name for tarballs: npm's own, as the real one does, whatever it is reached by
 */
export async function startNpmRegistry(packages: NpmPackage[], tarballHost = 'https://registry.npmjs.org'): Promise<NpmRegistry> {
  const folder = await temporaryFolder()
  const answers = new Map<string, { type: string; body: Buffer }>()
  for (const item of packages) {
    const tarball = await pack(folder.path, item)
    const path = `/${item.name}/-/${item.name.replace(/^.*\//, '')}-${item.version}.tgz`
    const dist = {
      tarball: `${tarballHost}${path}`,
      integrity: `sha512-${createHash('sha512').update(tarball).digest('base64')}`,
    }
    const version = { name: item.name, version: item.version, dist }
    const document = { name: item.name, 'dist-tags': { latest: item.version }, versions: { [item.version]: version } }
    const body = Buffer.from(JSON.stringify(document))
    answers.set(`/${item.name}`, { type: 'application/vnd.npm.install-v1+json', body })
    answers.set(`/${item.name.replace('/', '%2f')}`, { type: 'application/vnd.npm.install-v1+json', body })
    answers.set(path, { type: 'application/octet-stream', body: tarball })
  }
  await folder.remove()

  const requests: string[] = []
  const complaints: string[] = []
  const server = createServer((request, response) => {
    const asked = `${request.method} ${request.url}`
    requests.push(asked)
    for (const name of ['authorization', 'cookie', 'npm-session', 'x-api-key'])
      if (request.headers[name] !== undefined) complaints.push(`${asked}: ${name}`)
    if (request.url?.includes('?')) complaints.push(`${asked}: query`)
    if (request.method !== 'GET' && request.method !== 'HEAD') complaints.push(`${asked}: method`)
    const found = answers.get(request.url ?? '')
    if (!found) return void response.writeHead(404, { 'content-type': 'application/json' }).end('{"error":"Not found"}')
    response.writeHead(200, { 'content-type': found.type, 'content-length': found.body.length }).end(found.body)
  })
  const { url, close } = await listen(server)
  return {
    url: `${url}/`,
    requests,
    complaints,
    stop: close,
  }
}

async function pack(folder: string, { name, version, files }: NpmPackage): Promise<Buffer> {
  const at = join(folder, name.replace('/', '-'), version)
  await mkdir(join(at, 'package'), { recursive: true })
  const manifest = JSON.stringify({ name, version, main: 'index.js' })
  for (const [file, text] of Object.entries({ 'package.json': manifest, ...files }))
    await writeFile(join(at, 'package', file), text)
  await execa('tar', ['-czf', join(at, 'package.tgz'), '-C', at, 'package'])
  return readFile(join(at, 'package.tgz'))
}
