// SPDX-License-Identifier: Apache-2.0
// What the kit needs of a test runner. Jest's globals and node:test's exports both fit.

type Register = (title: string, body: () => void) => unknown;

export interface TestFramework {
  readonly describe: Register;
  readonly it: Register & { readonly skip: Register };
}
