// SPDX-License-Identifier: Apache-2.0
// A recorded fingerprint: whether what a step was made from is still what it was.
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cache } from './root.mjs';

export const fingerprint = (text) => createHash('sha256').update(text).digest('hex');

export function isStamped(name, print) {
  try {
    return readFileSync(join(cache, name), 'utf8') === print;
  } catch {
    return false;
  }
}

export function stamp(name, print) {
  mkdirSync(cache, { recursive: true });
  writeFileSync(join(cache, name), print);
}

export function unstamp(name) {
  rmSync(join(cache, name), { force: true });
}
