import { installPackages } from './packages.mjs'

await installPackages(new URL('../', import.meta.url))
