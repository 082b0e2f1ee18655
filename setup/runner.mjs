import { runTypeScript } from './run-typescript.mjs'

await runTypeScript('setup/runner.ts')
