// SPDX-License-Identifier: Apache-2.0

import { readFileSync } from 'node:fs';
import { InputError } from './input-error.js';

/** @throws InputError that begins with the path */
export function readFile(path: string): Uint8Array {
  try {
    return readFileSync(path);
  } catch (error) {
    // Node says `ENOENT: no such file or directory, open 'path'`, and the place is named already.
    const reason = /^[A-Z]+: ([^,]+)/.exec((error as Error).message)?.[1] ?? String(error);
    throw new InputError(path, reason, { cause: error });
  }
}
