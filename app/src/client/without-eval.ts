import { config } from 'zod'

// Before any schema is made: the page's policy forbids `eval`, and trying it would be reported as a breach.
config({ jitless: true })
