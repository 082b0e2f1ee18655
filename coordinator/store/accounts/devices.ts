import type { Device } from '../../../contract/api/api.ts'
import type { Store } from '../sqlite/database.ts'
import type { Database } from '../sqlite/schema.ts'
import { contentOf, SESSION_IDLE_MS } from './sessions.ts'
import { hashToken, listTokens } from './tokens.ts'

/** The public name of a session, whose own id is a secret. */
export function deviceIdOf(sessionId: string): string {
  return hashToken(sessionId)
}

/**
 * Everything that is signed in as this user, last used first; no two have the same name.
 * @param currentId of the device that asks
 */
export async function listDevices(db: Store, userId: string, currentId: string, ownerTokenId: string): Promise<Device[]> {
  const sessions = await sessionsOf(db, userId).execute()
  const devices = [
    ...sessions.map(browserOf),
    ...(await listTokens(db, userId)).map((token) => ({ ...token, kind: 'token' as const })),
  ]
  return withOwnNames(devices)
    .map((device) => ({ ...device, current: device.id === currentId, serverOwn: device.id === ownerTokenId }))
    .sort((a, b) => (b.lastUsedAt ?? b.createdAt).localeCompare(a.lastUsedAt ?? a.createdAt))
}

/** @returns the name for a browser that signs in now, which it keeps when others sign out */
export async function nameNewBrowser(db: Store, userId: string, name: string): Promise<string> {
  return freeName(name, namesOf(withOwnNames((await sessionsOf(db, userId).execute()).map(browserOf))))
}

/** The device that signed in first keeps a name that several have. */
function withOwnNames<T extends { name: string; createdAt: string }>(devices: readonly T[]): T[] {
  const named: T[] = []
  for (const device of devices.toSorted((a, b) => a.createdAt.localeCompare(b.createdAt)))
    named.push({ ...device, name: freeName(device.name, namesOf(named)) })
  return named
}

/** @returns the name, with a number behind it if others have it already, so that two phones of one kind can be told apart */
function freeName(name: string, taken: readonly string[]): string {
  if (!taken.includes(name)) return name
  let number = 2
  while (taken.includes(`${name} (${number})`)) number++
  return `${name} (${number})`
}

function namesOf(devices: readonly { name: string }[]): string[] {
  return devices.map(({ name }) => name)
}

/**
 * Signs a browser out or revokes a token. Its push subscriptions end with it, and so do the user's sign-in links: it may have made one.
 * @returns false when this user has no such device
 */
export function revokeDevice(db: Store, userId: string, deviceId: string): Promise<boolean> {
  return db.transaction().execute(async (tx) => {
    await tx.deleteFrom('sign_in_links').where('user_id', '=', userId).execute()
    const session = (await sessionsOf(tx, userId).execute()).find(({ id }) => deviceIdOf(id) === deviceId)
    await tx.deleteFrom('push_subscriptions').where('user_id', '=', userId).where('device_id', '=', deviceId).execute()
    const gone = session
      ? tx.deleteFrom('sessions').where('id', '=', session.id)
      : tx.deleteFrom('api_tokens').where('id', '=', deviceId).where('user_id', '=', userId)
    return (await gone.executeTakeFirst()).numDeletedRows > 0n
  })
}

/** Signs every browser out, including the one that asks, and revokes every sign-in link and every token but this one. */
export function revokeAllDevices(db: Store, userId: string, exceptTokenId: string): Promise<void> {
  return db.transaction().execute(async (tx) => {
    await tx.deleteFrom('push_subscriptions').where('user_id', '=', userId).execute()
    await tx.deleteFrom('sign_in_links').where('user_id', '=', userId).execute()
    await tx.deleteFrom('sessions').where('user_id', '=', userId).execute()
    await tx.deleteFrom('api_tokens').where('user_id', '=', userId).where('id', '!=', exceptTokenId).execute()
  })
}

function sessionsOf(db: Store, userId: string) {
  return db.selectFrom('sessions').selectAll().where('user_id', '=', userId).where('expires_at', '>', Date.now())
}

function browserOf({ id, data, expires_at }: Database['sessions']): Omit<Device, 'current' | 'serverOwn'> {
  const { device } = contentOf(data)
  const lastUsedAt = new Date(expires_at - SESSION_IDLE_MS).toISOString()
  return {
    id: deviceIdOf(id),
    kind: 'browser',
    name: device?.name ?? 'A browser',
    createdAt: device?.signedInAt ?? lastUsedAt,
    lastUsedAt,
  }
}
