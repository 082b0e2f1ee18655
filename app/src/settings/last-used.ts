import { age } from '../show.ts'
import { words } from '../words.ts'

/** @returns in words when something that is signed in was last used */
export const lastUsed = (at: string | null): string => (at === null ? words.common.never : words.settings.lastUsed(age(at)))
