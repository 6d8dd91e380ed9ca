// SPDX-License-Identifier: Apache-2.0
// End to end: packages as published, QEMU and other outside tools; one file at a time, with time to start them.
import unit from './jest.config.mjs';

export default { ...unit, testMatch: ['<rootDir>/test-e2e/**/*.test.ts'], maxWorkers: 1, testTimeout: 120_000 };
