// SPDX-License-Identifier: Apache-2.0
// What a call throws, where that must be a FirmwareError.

import { FirmwareError } from '@irqkit/core';

/** Message, place and offset in one line, or the failure to throw. */
export function firmwareErrorOf(call: () => unknown): string {
  try {
    call();
  } catch (error) {
    if (error instanceof FirmwareError) return error.message;
    throw error;
  }
  return 'nothing thrown';
}
