// SPDX-License-Identifier: Apache-2.0

import { LinuxError } from '@irqkit/core';

/** The LinuxError that `work` throws. */
export function caught(work: () => unknown): LinuxError {
  try {
    work();
  } catch (error) {
    if (LinuxError.is(error)) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}
