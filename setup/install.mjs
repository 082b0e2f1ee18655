import { installPackages } from './packages.mjs'

installPackages(new URL('../', import.meta.url))
