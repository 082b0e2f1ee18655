/** Who asks, as every room of the coordinator knows them. */
export type User = { id: string; name: string; avatarUrl: string | null; admin: boolean }
