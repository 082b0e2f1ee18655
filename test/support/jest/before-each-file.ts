// Runs before each test file.
import { createRequire } from 'node:module'
import { expect, jest } from '@jest/globals'

/*
 * Jest drops all objects of a file when it ends, and Node from 24.19 on aborts when one of better-sqlite3 is
 * among them (coordinator/store/sqlite/kept-natives.ts). What holds them here lives as long as the process: the native module is loaded once.
 */

type Native = { prepare: (...args: unknown[]) => object; exec: (...args: unknown[]) => unknown }
type Addon = { Database: { prototype: Native }; kept?: Set<object> }

const addon = createRequire(import.meta.url)('better-sqlite3/build/Release/better_sqlite3.node') as Addon

if (!addon.kept) {
  const kept = new Set<object>()
  addon.kept = kept
  const { prototype } = addon.Database
  const { prepare, exec } = prototype
  prototype.prepare = function (...args) {
    const statement = prepare.apply(this, args)
    kept.add(this).add(statement)
    return statement
  }
  prototype.exec = function (...args) {
    kept.add(this)
    return exec.apply(this, args)
  }
}

/*
 * A test that drives a browser may fail once, because a browser and a whole server on two cores can lose a race of
 * the test's own. The failure is printed, the end of `npm test` counts it, and more than two in a run fail the run. Every other test has one try.
 */
if (/\/test\/app\/(browser|scenes)\//.test(expect.getState().testPath ?? ''))
  jest.retryTimes(1, { logErrorsBeforeRetry: true, retryImmediately: true })
