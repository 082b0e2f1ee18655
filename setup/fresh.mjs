import { runTypeScript } from './run-typescript.mjs'

await runTypeScript('setup/fresh.ts')
