/** Jest in ESM mode on the sources as they are; swc only strips the types. */
export default {
  testEnvironment: 'node',
  roots: ['<rootDir>/test'],
  testMatch: ['**/*.test.ts'],
  extensionsToTreatAsEsm: ['.ts'],
  transform: {
    '^.+\\.ts$': ['@swc/jest', { jsc: { parser: { syntax: 'typescript' }, target: 'es2022' }, module: { type: 'es6' } }],
  },
  setupFilesAfterEnv: ['<rootDir>/test/support/jest/before-each-file.ts'],
  // A handle that a file leaves open is a leak of ours, and fails it.
  testRunner: '<rootDir>/test/support/jest/nothing-left-open.mjs',
  testSequencer: '<rootDir>/test/support/jest/longest-first.mjs',
  // The same for every test: it only ends one that hangs. A busy machine loads pages and starts containers many times slower than a quiet one.
  testTimeout: 300_000,
  // One more than two cores: the real tests wait for containers, processes and timers much of their time.
  maxWorkers: 3,
  // Node 20 frees no module of a file that has ended. A large process collects garbage and starts others slowly, so a new one takes over.
  workerIdleMemoryLimit: '150MB',
  globalTeardown: '<rootDir>/test/support/jest/end-in-time.mjs',
}
