import { expect, jest } from '@jest/globals'

/*
 * Runs before each test file. A test that drives a browser may fail once, because a browser and a whole server on two cores can lose a race of
 * the test's own. The failure is printed, the end of `npm test` counts it, and more than two in a run fail the run. Every other test has one try.
 */
if (/\/test\/app\/(browser|scenes)\//.test(expect.getState().testPath ?? '')) {
  jest.retryTimes(1, { logErrorsBeforeRetry: true, retryImmediately: true })
  // A busy machine loads and draws a page many times slower than a quiet one.
  jest.setTimeout(90_000)
}
