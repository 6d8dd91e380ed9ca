// SPDX-License-Identifier: Apache-2.0
// A test runner that writes down how each check ends.

import type { TestFramework } from '@irqkit/conformance';

export interface Outcomes {
  readonly passed: readonly string[];
  readonly skipped: readonly string[];
  /** Messages by title. */
  readonly failed: Readonly<Record<string, string>>;
}

export function outcomesOf(register: (framework: TestFramework) => void): Outcomes {
  const passed: string[] = [];
  const skipped: string[] = [];
  const failed: Record<string, string> = {};
  const it = (title: string, body: () => void): void => {
    try {
      body();
      passed.push(title);
    } catch (error) {
      failed[title] = error instanceof Error ? error.message : String(error);
    }
  };
  const skip = (title: string): void => void skipped.push(title);
  register({ describe: (_title, body) => body(), it: Object.assign(it, { skip }) });
  return { passed, skipped, failed };
}
