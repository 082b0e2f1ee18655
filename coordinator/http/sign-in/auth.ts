import type { Express, Request, RequestHandler } from 'express'
import { z } from 'zod'
import type { SignInLink, SignInWays } from '../../../contract/api/api.ts'
import { deviceName } from '../../accounts/device-name.ts'
import { lookForPhoneAccess } from '../../accounts/phone-access.ts'
import { Refusal } from '../../process/errors.ts'
import { deviceIdOf, nameNewBrowser, revokeDevice } from '../../store/accounts/devices.ts'
import { createSignInLink, findSignInLink, takeSignInLink } from '../../store/accounts/sign-in-links.ts'
import { findUser } from '../../store/accounts/users.ts'
import { html, page } from '../pages/html.ts'
import type { Parts } from '../parts.ts'
import { authenticate, currentUser } from './authenticate.ts'
import type { Passport } from './passport.ts'
import { sameOrigin } from './same-origin.ts'

/** Signing in by GitHub or by a one-time link, and out. Passport gives each sign-in and sign-out a new session id. */
export function addAuthRoutes(app: Express, parts: Parts, { passport, readForm }: SignInParts): void {
  app.get('/auth/ways', (_request, response) => {
    response.json({ github: parts.config.github !== null } satisfies SignInWays)
  })

  app.get('/auth/github', requireGithub(parts), passport.authenticate('github'))
  app.get('/auth/github/callback', requireGithub(parts), async (request, response, next) => {
    const user = await askGithub(passport, request, response, next)
    await logIn(parts, request, user)
    request.log.info({ event: 'user.signed_in', userId: user.id, by: 'github' })
    response.redirect(303, '/')
  })

  app.post('/auth/links', authenticate(parts), async (request, response) => {
    const { code, expiresAt } = await createSignInLink(parts.db, currentUser(request).id)
    const url = `${parts.config.publicUrl}/auth/link?code=${code}`
    const onlyHere = lookForPhoneAccess(parts.config)
    response.status(201).json({ url, expiresAt: expiresAt.toISOString(), onlyHere } satisfies SignInLink)
  })
  // Looking at a link must not use it up: messengers and mail scanners open what they see. So a person presses the button.
  app.get('/auth/link', async (request, response) => {
    const { code } = Code.parse(request.query)
    const { name } = await userOfLink(parts, await findSignInLink(parts.db, code))
    response.send(confirmPage(code, name))
  })
  app.post('/auth/link', sameOrigin, readForm, async (request, response) => {
    const user = await userOfLink(parts, await takeSignInLink(parts.db, Code.parse(request.body).code))
    await logIn(parts, request, user)
    request.log.info({ event: 'user.signed_in', userId: user.id, by: 'link' })
    response.redirect(303, '/')
  })

  app.post('/auth/logout', sameOrigin, async (request, response) => {
    const userId = request.user?.id
    const deviceId = deviceIdOf(request.sessionID)
    await new Promise<void>((resolve, reject) => request.logOut((error) => (error ? reject(error) : resolve())))
    if (userId !== undefined) {
      await revokeDevice(parts.db, userId, deviceId)
      parts.disconnectDevice(deviceId)
      request.log.info({ event: 'user.signed_out', userId })
    }
    response.redirect(303, '/')
  })
}

export type SignInParts = { passport: Passport; readForm: RequestHandler }

const Code = z.object({ code: z.string('the link is not whole: open it as it was printed').min(1).max(200) })

/** @throws Refusal `forbidden` when the link leads to nobody */
async function userOfLink({ db }: Parts, userId: string | null): Promise<Express.User> {
  const user = userId === null ? null : await findUser(db, userId)
  if (user) return user
  throw new Refusal('forbidden', 'This link was used before, or is older than ten minutes. Make a new one: npx errand link')
}

function requireGithub({ config }: Parts): RequestHandler {
  return (_request, _response, next) => {
    if (!config.github)
      throw new Refusal('not_found', 'Signing in by GitHub is not set up here: set GITHUB_CLIENT_ID and GITHUB_CLIENT_SECRET.')
    next()
  }
}

/**
 * Takes the callback's code to GitHub.
 * @throws Refusal `forbidden` for a state that this browser did not start, or a person who may not sign in; `unavailable` when GitHub fails
 */
function askGithub(passport: Passport, ...[request, response, next]: Parameters<RequestHandler>): Promise<Express.User> {
  return new Promise((resolve, reject) => {
    const answer = (error: unknown, user?: Express.User | false, info?: { message?: string }, status?: number) => {
      if (error)
        reject(
          new Refusal('unavailable', 'GitHub did not confirm the sign-in. Try again in a moment.', undefined, { cause: error }),
        )
      else if (user) resolve(user)
      else if (status === 403)
        reject(new Refusal('forbidden', 'This sign-in was not started in this browser, or it took too long. Start again.'))
      else reject(new Refusal('forbidden', info?.message ?? 'GitHub did not let you in.'))
    }
    passport.authenticate('github', answer)(request, response, next)
  })
}

async function logIn({ db }: Parts, request: Request, user: Express.User): Promise<void> {
  const name = await nameNewBrowser(db, user.id, deviceName(request.get('user-agent')))
  await new Promise<void>((resolve, reject) => request.logIn(user, (error) => (error ? reject(error) : resolve())))
  request.session.device = { name, signedInAt: new Date().toISOString() }
}

function confirmPage(code: string, name: string): string {
  return page({
    title: 'Sign in',
    body: html`<h1>Sign in to Errand</h1>
      <p>This link signs you in as <strong>${name}</strong>. It works once, on this device.</p>
      <form method="post" action="/auth/link">
        <input type="hidden" name="code" value="${code}" />
        <button type="submit">Sign in</button>
      </form>`,
  })
}
