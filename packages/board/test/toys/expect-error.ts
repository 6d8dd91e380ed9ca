// SPDX-License-Identifier: Apache-2.0
import { LinuxError } from '@irqkit/core';
import type { Errno } from '@irqkit/core';

/** Expects a LinuxError of that code whose message matches. */
export function expectError(work: () => unknown, code: Errno, message: RegExp = /./): void {
  let thrown: unknown;
  try {
    work();
  } catch (error) {
    thrown = error;
  }
  expect(thrown).toBeInstanceOf(LinuxError);
  const error = thrown as LinuxError;
  expect([error.code, error.message]).toEqual([code, expect.stringMatching(message)]);
}
