#!/usr/bin/env node
// The command line tool runs from its sources: Node 22.18 and newer strips the types itself, for older ones tsx does.
import { existsSync } from 'node:fs'

const home = new URL('../', import.meta.url)

if (!existsSync(new URL('node_modules/socket.io-client', home))) {
  console.error(`errand: its packages are not installed. Run this first: npm install --prefix ${home.pathname}`)
  process.exit(2)
}
// By itself tsx takes the tsconfig.json of the folder that one stands in, which may name code to run.
if (!process.features.typescript) (await import('tsx/esm/api')).register({ tsconfig: false })
await import('../cli/main.ts')
