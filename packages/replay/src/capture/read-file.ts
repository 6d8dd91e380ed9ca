// SPDX-License-Identifier: Apache-2.0

import { readdirSync, readFileSync } from 'node:fs';
import { CaptureError } from './capture-error.js';

/** The names in a directory, sorted. @throws CaptureError */
export function filesOf(dir: string): string[] {
  try {
    return readdirSync(dir).sort();
  } catch (error) {
    throw unreadable(dir, error);
  }
}

/** @throws CaptureError */
export function readFile(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw unreadable(path, error);
  }
}

// Node says `ENOENT: no such file or directory, open 'path'`, and the place is named already.
function unreadable(path: string, error: unknown): CaptureError {
  const reason = /^[A-Z]+: ([^,]+)/.exec((error as Error).message)?.[1] ?? String(error);
  return new CaptureError(path, reason, { cause: error });
}
