// SPDX-License-Identifier: Apache-2.0
// Registers checks with a test runner. A check that needs what the plugin does not support is skipped by name, with the
// author's reason in the title, so that it shows in every runner's output.

import type { TestFramework } from './test-framework.js';

/** Why each capability is missing. */
export type Unsupported<C extends string> = Readonly<Partial<Record<C, string>>>;

export interface Check<C extends string> {
  readonly title: string;
  readonly needs?: readonly C[];
  run(): void;
}

export function registerChecks<C extends string>(
  framework: TestFramework,
  title: string,
  checks: readonly Check<C>[],
  unsupported: Unsupported<C>,
): void {
  framework.describe(title, () => {
    for (const check of checks) {
      const missing = (check.needs ?? []).find((capability) => unsupported[capability] !== undefined);
      if (missing === undefined) framework.it(check.title, () => check.run());
      else framework.it.skip(`${check.title} (not supported: ${missing}, ${unsupported[missing]})`, () => undefined);
    }
  });
}
