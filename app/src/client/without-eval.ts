import { config } from 'zod'

// Runs before any schema is created: the page's policy forbids `eval`, and an attempt would be reported as a violation.
config({ jitless: true })
