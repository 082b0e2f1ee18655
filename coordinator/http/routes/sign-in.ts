import type { Request, RequestHandler, Response } from 'express'
import { addressOf } from '../../../contract/api/routes.ts'
import { deviceName } from '../../accounts/device-name.ts'
import { lookForPhoneAccess } from '../../accounts/phone-access.ts'
import { Refusal } from '../../process/errors.ts'
import { deviceIdOf, nameNewBrowser, revokeDevice } from '../../store/accounts/devices.ts'
import { createSignInLink, findSignInLink, takeSignInLink } from '../../store/accounts/sign-in-links.ts'
import { findUser } from '../../store/accounts/users.ts'
import { html, page } from '../pages/html.ts'
import type { Parts } from '../parts.ts'
import type { Serve } from '../serve-endpoint.ts'
import { authenticate, currentUser } from '../sign-in/authenticate.ts'
import type { Passport } from '../sign-in/passport.ts'
import { sameOrigin } from '../sign-in/same-origin.ts'

type Wanted = { passport: Passport; readForm: RequestHandler }

/** Sign-in with GitHub or a one-time link, and sign-out. Passport gives each sign-in and sign-out a new session id. */
export function addSignInRoutes(serve: Serve, parts: Parts, { passport, readForm }: Wanted): void {
  serve('findSignInWays', () => ({ github: parts.config.github !== null }))
  addGithubRoutes(serve, parts, passport)
  addLinkRoutes(serve, parts, readForm)
  serve(
    'signOut',
    async ({ request, response }) => {
      const userId = request.user?.id
      const deviceId = deviceIdOf(request.sessionID)
      await new Promise<void>((resolve, reject) => request.logOut((error) => (error ? reject(error) : resolve())))
      if (userId !== undefined) {
        await revokeDevice(parts.db, userId, deviceId)
        parts.disconnectDevice(deviceId)
        request.log.info({ event: 'user.signed_out', userId })
      }
      response.redirect(303, '/')
    },
    [sameOrigin],
  )
}

function addGithubRoutes(serve: Serve, parts: Parts, passport: Passport): void {
  // Passport's own handler redirects and never calls the next one.
  serve('signInByGithub', () => undefined, [requireGithub(parts), passport.authenticate('github')])
  serve(
    'returnFromGithub',
    async ({ request, response }) => {
      const user = await askGithub(passport, request, response)
      await logIn(parts, request, user)
      request.log.info({ event: 'user.signed_in', userId: user.id, by: 'github' })
      response.redirect(303, '/')
    },
    [requireGithub(parts)],
  )
}

function addLinkRoutes(serve: Serve, parts: Parts, readForm: RequestHandler): void {
  serve(
    'createSignInLink',
    async ({ request }) => {
      const { code, expiresAt } = await createSignInLink(parts.db, currentUser(request).id)
      const url = `${parts.config.publicUrl}${addressOf('openSignInLink', [], { code })}`
      return { url, expiresAt: expiresAt.toISOString(), onlyHere: lookForPhoneAccess(parts.config) }
    },
    [authenticate(parts)],
  )
  // Opening a link must not use it up: messengers and mail scanners open every link they see. So a person presses the button.
  serve('openSignInLink', async ({ query: { code }, response }) => {
    const { name } = await userOfLink(parts, await findSignInLink(parts.db, code))
    response.send(confirmPage(code, name))
  })
  serve(
    'signInByLink',
    async ({ body, request, response }) => {
      const user = await userOfLink(parts, await takeSignInLink(parts.db, body.code))
      await logIn(parts, request, user)
      request.log.info({ event: 'user.signed_in', userId: user.id, by: 'link' })
      response.redirect(303, '/')
    },
    [sameOrigin, readForm],
  )
}

/** @throws Refusal `forbidden` if the link signs nobody in */
async function userOfLink({ db }: Parts, userId: string | null): Promise<Express.User> {
  const user = userId === null ? null : await findUser(db, userId)
  if (user) return user
  throw new Refusal('forbidden', 'This link was already used, or is older than ten minutes. Create a new one: npx errand link')
}

function requireGithub({ config }: Parts): RequestHandler {
  return (_request, _response, next) => {
    if (!config.github)
      throw new Refusal(
        'not_found',
        'Sign-in with GitHub is not set up. To set it up, set GITHUB_CLIENT_ID and GITHUB_CLIENT_SECRET.',
      )
    next()
  }
}

/**
 * Exchanges the callback's code at GitHub.
 * @throws Refusal `forbidden` for a state that this browser did not start, or a person who may not sign in; `unavailable` when GitHub fails
 */
function askGithub(passport: Passport, request: Request, response: Response): Promise<Express.User> {
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
    passport.authenticate('github', answer)(request, response, reject)
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
