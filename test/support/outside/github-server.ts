import { createHash, randomBytes } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { listen } from '../systems/temporary.ts'

export type GithubServer = {
  url: string
  clientId: string
  clientSecret: string
  /** Who is signed in at GitHub in the next browser that comes. */
  person: { id: number; login: string }
  /** How many codes were exchanged for a token. */
  exchanges: number
  /** The scopes that were asked for, in order. */
  scopes: string[]
  /** Tokens handed out, newest last. */
  tokens: string[]
  stop: () => Promise<void>
}

type Person = GithubServer['person']
type Grant = Person & { redirectUri: string; challenge: string }

/** What GitHub knows: its app, the codes that it has given out, and whose each token is. */
type Github = GithubServer & { redirectUri: string; grants: Map<string, Grant>; people: Map<string, Person> }

/** Stands in for GitHub's OAuth and `GET /user`, and refuses what GitHub refuses: it wants state, PKCE by S256, and the very redirect_uri. */
export async function startGithub(redirectUri: string): Promise<GithubServer> {
  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://github')
    if (request.method === 'GET' && pathname === '/login/oauth/authorize') authorize(github, searchParams, response)
    else if (request.method === 'POST' && pathname === '/login/oauth/access_token')
      exchange(github, request, response).catch((error: unknown) => response.destroy(error as Error))
    else if (request.method === 'GET' && pathname === '/api/user') sendUser(github, request, response)
    else answer(response, 404, 'not found')
  })
  const { url, close } = await listen(server)
  const github: Github = {
    url,
    clientId: 'Iv1.0123456789abcdef',
    clientSecret: randomBytes(20).toString('hex'),
    redirectUri,
    person: { id: 1001, login: 'mona' },
    exchanges: 0,
    scopes: [],
    tokens: [],
    grants: new Map(),
    people: new Map(),
    stop: close,
  }
  return github
}

function authorize(github: Github, query: URLSearchParams, response: ServerResponse) {
  const { clientId, redirectUri } = github
  const challenge = query.get('code_challenge') ?? ''
  if (query.get('client_id') !== clientId || query.get('redirect_uri') !== redirectUri)
    return answer(response, 404, 'no such app')
  if (query.get('response_type') !== 'code' || !query.get('state')) return answer(response, 400, 'no state')
  if (query.get('code_challenge_method') !== 'S256' || challenge.length !== 43) return answer(response, 400, 'no PKCE')
  const code = randomBytes(10).toString('hex')
  github.grants.set(code, { redirectUri, challenge, ...github.person })
  github.scopes.push(query.get('scope') ?? '')
  const target = `${redirectUri}?code=${code}&state=${encodeURIComponent(query.get('state') ?? '')}`
  response.writeHead(302, { location: target }).end()
}

async function exchange(github: Github, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const form = new URLSearchParams(await textOf(request))
  const code = form.get('code') ?? ''
  const grant = github.grants.get(code)
  github.grants.delete(code)
  // GitHub answers a bad code with 200 and an error in the form.
  if (!grant || !isSound(form, grant, github))
    return answer(response, 200, 'error=bad_verification_code&error_description=The+code+is+incorrect', FORM)
  const token = `gho_${randomBytes(18).toString('hex')}`
  github.people.set(token, { id: grant.id, login: grant.login })
  github.exchanges += 1
  github.tokens.push(token)
  answer(response, 200, `access_token=${token}&scope=repo&token_type=bearer`, FORM)
}

function isSound(form: URLSearchParams, grant: Grant, { clientId, clientSecret }: Github): boolean {
  const verifier = createHash('sha256').update(form.get('code_verifier') ?? '')
  return (
    form.get('client_id') === clientId &&
    form.get('client_secret') === clientSecret &&
    form.get('redirect_uri') === grant.redirectUri &&
    verifier.digest('base64url') === grant.challenge
  )
}

function sendUser({ people }: Github, request: IncomingMessage, response: ServerResponse) {
  const person = people.get((request.headers.authorization ?? '').replace(/^(Bearer|token) /i, ''))
  if (!person || !request.headers['user-agent']) return answer(response, 401, '{"message":"Bad credentials"}')
  answer(response, 200, JSON.stringify({ ...person, name: null, avatar_url: `https://avatars.example/${person.id}` }))
}

const FORM = 'application/x-www-form-urlencoded'

function answer(response: ServerResponse, status: number, body: string, type = 'application/json'): void {
  response.writeHead(status, { 'content-type': type }).end(body)
}

async function textOf(request: IncomingMessage): Promise<string> {
  let text = ''
  for await (const chunk of request) text += chunk
  return text
}
