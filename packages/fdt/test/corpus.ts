// SPDX-License-Identifier: Apache-2.0
// The devicetrees of ../shared/data/dtb: QEMU's machines and real boards.

import { hasShared, sharedPath } from '@irqkit-test/env';
import { readdirSync, readFileSync } from 'node:fs';

/** Names below data/dtb, in order; empty without ../shared. */
export const corpus: readonly string[] = hasShared
  ? readdirSync(sharedPath('data', 'dtb'), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.dtb'))
      .sort()
  : [];

/** About `count` of them, evenly spread. */
export function sample(count: number): readonly string[] {
  const step = Math.max(1, Math.floor(corpus.length / count));
  return corpus.filter((_, index) => index % step === 0);
}

export function readTree(name: string): Uint8Array {
  return new Uint8Array(readFileSync(sharedPath('data', 'dtb', name)));
}
