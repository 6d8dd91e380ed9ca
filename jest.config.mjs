// SPDX-License-Identifier: Apache-2.0
// Unit tests run from source, as CommonJS through swc: no build stands between an edit and its test.
export default {
  testMatch: ['<rootDir>/packages/*/test/**/*.test.ts', '<rootDir>/tools/**/*.test.ts'],
  passWithNoTests: true,
  verbose: true,
  maxWorkers: 2,
  testEnvironment: 'node',
  testTimeout: 20_000,
  modulePathIgnorePatterns: ['/dist/'],
  moduleNameMapper: {
    '^@irqkit-test/(.+)$': '<rootDir>/tools/testing/$1.ts',
    '^@irqkit/([^/]+)$': '<rootDir>/packages/$1/src/index.ts',
    '^@irqkit/([^/]+)/(.+)$': '<rootDir>/packages/$1/src/$2/index.ts',
    '^(\\.{1,2}/.*)\\.js$': ['$1.ts', '$1.js'],
  },
  transform: {
    '\\.ts$': [
      '@swc/jest',
      {
        swcrc: false,
        sourceMaps: 'inline',
        module: { type: 'commonjs' },
        jsc: {
          target: 'es2022',
          parser: { syntax: 'typescript', decorators: true },
          transform: { legacyDecorator: true, decoratorMetadata: false, useDefineForClassFields: true },
        },
      },
    ],
  },
};
