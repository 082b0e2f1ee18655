import { z } from 'zod'
import { REASONS } from './reason-texts.ts'

export { REASONS }

export type Reason = keyof typeof REASONS
export const Reason = z.enum(Object.keys(REASONS) as [Reason, ...Reason[]])
