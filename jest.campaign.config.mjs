// SPDX-License-Identifier: Apache-2.0
// Full counts: the unit tests, and the random sequences on whole machines.
import unit from './jest.config.mjs';

export default { ...unit, testMatch: [...unit.testMatch, '<rootDir>/test-e2e/*-sequences.test.ts'] };
