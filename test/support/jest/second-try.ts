import { expect, jest } from '@jest/globals'

/*
 * Runs before each test file. A browser beside a whole server on two cores loses a race now and then that is the test's own, so a test that
 * drives one may fail once: that is printed all the same, and the second try counts. Everywhere else the first one counts.
 */
if (expect.getState().testPath?.includes('/test/app/')) jest.retryTimes(1, { logErrorsBeforeRetry: true, retryImmediately: true })
