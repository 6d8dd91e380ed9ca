// SPDX-License-Identifier: Apache-2.0

import { LinuxError } from '@irqkit/core';

/**
 * Fills `into` from a saved copy of it, which may come from another realm.
 * @throws LinuxError EINVAL where `saved` is an array of another kind or length; `what` begins the message
 */
export function restoreArray(into: Uint8Array | Uint32Array, saved: unknown, what: string): void {
  const array = ArrayBuffer.isView(saved) ? (saved as Uint8Array | Uint32Array) : undefined;
  if (array?.BYTES_PER_ELEMENT !== into.BYTES_PER_ELEMENT || array.length !== into.length)
    throw new LinuxError('EINVAL', `${what}: the saved state is not ${into.length} × ${into.BYTES_PER_ELEMENT} bytes`);
  into.set(array);
}
