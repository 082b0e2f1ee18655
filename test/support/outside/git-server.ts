import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, cp, mkdir, rm, writeFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { basename, dirname, join } from 'node:path'
import { execa } from 'execa'
import { listen, temporaryFolder } from '../systems/temporary.ts'

export type GitServer = {
  /** `http://127.0.0.1:<port>`, without credentials. */
  url: string
  /**
   * Adds a repository with one commit on `main`, from files given as text or from a folder (such as an unpacked npm package; its
   * `node_modules` stays out).
   * @param name `owner/name`; served at `<url>/<owner>/<name>.git`
   * @returns its address, and its path on disk as a bare repository
   */
  addRepository: (name: string, content: RepositoryContent) => Promise<{ url: string; path: string }>
  /** On: every push is declined by a hook, as by a protected branch. The host takes the pack and refuses the refs. */
  refusePush: (on: boolean) => Promise<void>
  /** On: the host takes each push at once, and answers when this is off again. */
  holdAnswers: (on: boolean) => Promise<void>
  /** On: pushing is 403 at once, as for a token that may only read. */
  forbidPush: (on: boolean) => void
  /**
   * How the host answers for addresses that are not its own: `gitlab` serves repositories at `….git` alone, and redirects info/refs there as
   * gitlab.com does; a table leads from a path to where it went, as after a rename. A full URL leads to another host.
   */
  redirect: (how: Redirects) => void
  /** Every request so far, refused ones too, as `METHOD /path?query`, and ` gzip` when its body came compressed. */
  requests: string[]
  stop: () => Promise<void>
}

type Redirects = 'gitlab' | Readonly<Record<string, string>>

export type RepositoryContent = { files: Record<string, string> } | { fromFolder: string }

/**
 * A git host of the test's own: the real `git http-backend` behind Basic authentication on 127.0.0.1.
 * @param credentials leave them out for a host that lets anybody in
 */
export async function startGitServer(credentials?: { username: string; password: string }): Promise<GitServer> {
  const folder = await temporaryFolder()
  const root = join(folder.path, 'repositories')
  const hooks = join(folder.path, 'hooks')
  await Promise.all([mkdir(root), mkdir(hooks)])
  const requests: string[] = []
  const backends = new Set<ChildProcess>()
  let pushForbidden = false
  let redirects: Redirects = {}

  const server = createServer((request, response) => {
    requests.push([request.method, request.url, request.headers['content-encoding']].filter(Boolean).join(' '))
    const location = locationOf(request, redirects)
    // Before it asks who it is, as GitLab does.
    if (location !== null) response.writeHead(location === '' ? 404 : 301, location === '' ? {} : { location }).end()
    else if (credentials && !shows(request, credentials)) {
      response.writeHead(401, { 'www-authenticate': 'Basic realm="git"' }).end('Authentication is required.\n')
    } else if (pushForbidden && request.url?.includes('git-receive-pack')) {
      response.writeHead(403, { 'content-type': 'text/plain' }).end('This token may only read.\n')
    } else runBackend(request, response, { root, hooks }, backends)
  })
  const { url, close } = await listen(server)

  return {
    url,
    requests,
    addRepository: async (name, content) => {
      const path = join(root, `${name}.git`)
      await makeRepository(path, join(folder.path, `work-${basename(name)}`), content)
      return { url: `${url}/${name}.git`, path }
    },
    refusePush: (on) => declinePushes(hooks, on),
    holdAnswers: (on) => holdAnswers(hooks, on),
    redirect: (how) => {
      redirects = how
    },
    forbidPush: (on) => {
      pushForbidden = on
    },
    stop: async () => {
      await close()
      await Promise.all([...backends].map((backend) => backend.kill('SIGKILL') && once(backend, 'close')))
      await folder.remove()
    },
  }
}

/** @param work a folder that is made and removed again */
async function makeRepository(path: string, work: string, content: RepositoryContent): Promise<void> {
  await mkdir(dirname(path), { recursive: true })
  await mkdir(work)
  if ('fromFolder' in content)
    await cp(content.fromFolder, work, { recursive: true, filter: (from) => basename(from) !== 'node_modules' })
  else for (const [file, text] of Object.entries(content.files)) await writeInto(work, file, text)
  await git(work, 'init', '-q', '--bare', '--template=', '-b', 'main', path)
  const bare = [`--git-dir=${path}`, `--work-tree=${work}`]
  await git(work, ...bare, 'add', '-A', '-f')
  await git(work, '-c', 'maintenance.auto=false', ...bare, 'commit', '-q', '-m', 'Begin')
  await Promise.all([rm(work, { recursive: true }), rm(join(path, 'index'))])
}

async function declinePushes(hooks: string, on: boolean): Promise<void> {
  const hook = join(hooks, 'pre-receive')
  if (!on) return rm(hook, { force: true })
  await writeFile(hook, '#!/bin/sh\necho "this branch is protected" >&2\nexit 1\n')
  await chmod(hook, 0o755)
}

async function holdAnswers(hooks: string, on: boolean): Promise<void> {
  const hook = join(hooks, 'reference-transaction')
  if (!on) return rm(hook, { force: true })
  // git calls it once more when the refs are changed, before it reports that (githooks).
  await writeFile(hook, `#!/bin/sh\n[ "$1" = committed ] || exit 0\nwhile [ -e '${hook}' ]; do sleep 0.1; done\n`)
  await chmod(hook, 0o755)
}

/** @returns the refs of a repository, as `refs/heads/main` → commit */
export async function refsOf(path: string): Promise<Record<string, string>> {
  const { stdout } = await execa('git', ['-C', path, 'for-each-ref', '--format=%(refname) %(objectname)'])
  return Object.fromEntries(stdout.split('\n').flatMap((line) => (line ? [line.split(' ') as [string, string]] : [])))
}

function shows(request: IncomingMessage, { username, password }: { username: string; password: string }): boolean {
  return request.headers.authorization === `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`
}

/** @returns where the request is sent on to; empty for one that is not served; null for one that is */
function locationOf({ method, url = '', headers }: IncomingMessage, redirects: Redirects) {
  const [, path = '', rest = ''] = /^(.*?)(\/info\/refs\?.*|\/git-[a-z]+-pack)$/.exec(url) ?? []
  if (redirects !== 'gitlab') {
    const to = redirects[path]
    return to === undefined ? null : `${to}${rest}`
  }
  if (path.endsWith('.git')) return null
  return method === 'GET' ? `http://${headers.host}${path}.git${rest}` : ''
}

/** CGI (RFC 3875), as far as `git http-backend` goes. */
function runBackend(
  request: IncomingMessage,
  response: ServerResponse,
  { root, hooks }: { root: string; hooks: string },
  backends: Set<ChildProcess>,
): void {
  const [path = '', query = ''] = (request.url ?? '').split('?')
  const header = (name: string) => String(request.headers[name] ?? '')
  const backend = spawn(backendProgram(), [], {
    env: {
      PATH: process.env.PATH,
      GIT_PROJECT_ROOT: root,
      GIT_HTTP_EXPORT_ALL: '1',
      GIT_CONFIG_NOSYSTEM: '1',
      GIT_CONFIG_COUNT: '2',
      GIT_CONFIG_KEY_0: 'core.hooksPath',
      GIT_CONFIG_VALUE_0: hooks,
      GIT_CONFIG_KEY_1: 'receive.autoGC',
      GIT_CONFIG_VALUE_1: 'false',
      REQUEST_METHOD: request.method,
      PATH_INFO: path,
      QUERY_STRING: query,
      REMOTE_USER: 'test',
      REMOTE_ADDR: '127.0.0.1',
      CONTENT_TYPE: header('content-type'),
      CONTENT_LENGTH: header('content-length'),
      HTTP_CONTENT_ENCODING: header('content-encoding'),
      GIT_PROTOCOL: header('git-protocol'),
    },
  })
  backends.add(backend)
  backend.once('close', () => backends.delete(backend))
  backend.stdin.on('error', () => request.unpipe(backend.stdin))
  request.pipe(backend.stdin)
  let head = Buffer.alloc(0)
  backend.stdout.on('data', (chunk: Buffer) => {
    if (response.headersSent) return response.write(chunk)
    head = Buffer.concat([head, chunk])
    const end = head.indexOf('\r\n\r\n')
    if (end < 0) return
    const headers = head
      .toString('latin1', 0, end)
      .split('\r\n')
      .map((line) => line.split(': ', 2) as [string, string])
    const status = headers.find(([name]) => name === 'Status')?.[1] ?? '200'
    response.writeHead(Number.parseInt(status, 10), Object.fromEntries(headers.filter(([name]) => name !== 'Status')))
    response.write(head.subarray(end + 4))
  })
  backend.once('close', () => {
    if (!response.headersSent) response.writeHead(500)
    response.end()
  })
}

/** Without `git` before it, one process less for each request. */
function backendProgram(): string {
  execPath ??= execFileSync('git', ['--exec-path'], { encoding: 'utf8' }).trim()
  return join(execPath, 'git-http-backend')
}
let execPath: string | undefined

async function writeInto(folder: string, file: string, text: string): Promise<void> {
  await mkdir(dirname(join(folder, file)), { recursive: true })
  await writeFile(join(folder, file), text)
}

/** Runs git in a folder, as somebody with a name: a machine need not know one for its commits. */
export function git(folder: string, ...args: string[]) {
  return execa('git', ['-c', 'user.name=Test', '-c', 'user.email=test@example.org', '-C', folder, ...args])
}
