/** The person on whose behalf a request or a socket acts. */
export type User = Readonly<{ id: string; name: string; avatarUrl: string | null; admin: boolean }>

/** A user, and the device with which they are signed in: a browser's session or an API token, as in `Device`. */
export type SignedIn = Readonly<{ user: User; deviceId: string }>
