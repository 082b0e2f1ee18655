import type { Kysely } from 'kysely'
import type { Database } from './schema.ts'

/** The database, or a transaction on it. */
export type Store = Kysely<Database>
