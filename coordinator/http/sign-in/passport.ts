import passport from 'passport'
import { type Profile, Strategy } from 'passport-github2'
import { isAdmin, maySignIn, signInRefused } from '../../accounts/guests.ts'
import type { Config } from '../../process/config.ts'
import { findUser, upsertGithubUser } from '../../store/accounts/users.ts'
import type { Parts } from '../parts.ts'

/**
 * `repo` is the smallest scope that allows pushing the agent's branch to a private repository and opening a pull request. Without
 * `workflow` GitHub refuses a push that changes a CI workflow. That is intended: a prompt must not get at the secrets of CI.
 */
const SCOPE = ['repo']

export type Passport = InstanceType<typeof passport.Passport>

/** Stores the id of the signed-in user in the session, and offers sign-in with GitHub if it is configured. */
export function createPassport({ db, secrets, config }: Pick<Parts, 'db' | 'secrets' | 'config'>): Passport {
  const authenticator = new passport.Passport()
  authenticator.serializeUser<string>((user, done) => done(null, user.id))
  authenticator.deserializeUser<string>((id, done) => {
    findUser(db, id).then((user) => done(null, user ?? false), done)
  })
  if (config.github) authenticator.use(githubStrategy({ db, secrets, config }, config.github))
  return authenticator
}

function githubStrategy(
  { db, secrets, config }: Pick<Parts, 'db' | 'secrets' | 'config'>,
  github: NonNullable<Config['github']>,
): Strategy {
  const options = {
    clientID: github.clientId,
    clientSecret: github.clientSecret,
    callbackURL: `${config.publicUrl}/auth/github/callback`,
    authorizationURL: `${github.url}/login/oauth/authorize`,
    tokenURL: `${github.url}/login/oauth/access_token`,
    userProfileURL: `${github.apiUrl}/user`,
    scope: SCOPE,
    userAgent: 'errand',
    // Without this the strategy sends no state, and accepts a forged callback. PKCE needs the store of the state.
    state: true,
    pkce: true,
  }
  const verify = (token: string, _refresh: string, profile: Profile, done: Done) => {
    const login = profile.username ?? ''
    if (!maySignIn(login, config)) return done(null, false, { message: signInRefused(login, config) })
    const avatarUrl = (profile as { _json?: { avatar_url?: string } })._json?.avatar_url ?? null
    const admin = isAdmin(login, config)
    upsertGithubUser(db, secrets, { githubId: profile.id, login, avatarUrl, admin, token }).then((user) => done(null, user), done)
  }
  // The published types lack `pkce`, and say that `state` is text; passport-oauth2 1.8 takes both as they are here.
  return new Strategy(options as unknown as ConstructorParameters<typeof Strategy>[0], verify as never)
}

type Done = (error: unknown, user?: Express.User | false, info?: { message: string }) => void
