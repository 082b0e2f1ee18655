/** The person on whose behalf a request or a socket acts. */
export type User = Readonly<{ id: string; name: string; avatarUrl: string | null; admin: boolean }>
