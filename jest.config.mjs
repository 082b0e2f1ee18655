/** Jest in ESM mode on the sources as they are; swc only strips the types. */
export default {
  testEnvironment: 'node',
  roots: ['<rootDir>/test'],
  testMatch: ['**/*.test.ts'],
  extensionsToTreatAsEsm: ['.ts'],
  transform: {
    '^.+\\.ts$': ['@swc/jest', { jsc: { parser: { syntax: 'typescript' }, target: 'es2022' }, module: { type: 'es6' } }],
  },
  setupFiles: ['<rootDir>/test/support/jest/keep-natives.ts'],
  setupFilesAfterEnv: ['<rootDir>/test/support/jest/second-try.ts'],
  testSequencer: '<rootDir>/test/support/jest/longest-first.mjs',
  testTimeout: 30_000,
  // Two cores, and each real test starts its own Redis, coordinator and containers.
  maxWorkers: 2,
  globalTeardown: '<rootDir>/test/support/jest/end-in-time.mjs',
  // An open handle is a leak of ours, and is to be seen.
  forceExit: false,
}
