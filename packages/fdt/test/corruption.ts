// SPDX-License-Identifier: Apache-2.0
// Damaged blobs end in a FirmwareError or a tree, all of which can be read. What does not end is killed and fails.

import { parseFdt } from '@irqkit/fdt';
import { describeWithShared, runs, seed } from '@irqkit-test/env';
import { createContext, Script } from 'node:vm';
import { corpus, readTree } from './corpus.js';
import { cellOffsets, corrupt, randomFrom } from './corrupt.js';
import { fullDecode, printAndWrite } from './full-decode.js';

const TREE_LIMIT_MS = 120_000;
/** Printing costs more than decoding: one case in so many. */
const PRINT_EVERY = 10;

/** Damages each of the named trees 1000 times; some of them 20 times day to day. */
export function describeCorruption(title: string, names: readonly string[]): void {
  // Stack traces nobody reads cost more than the decoding.
  Error.stackTraceLimit = 0;

  describeWithShared(title, () => {
    test.each(names.filter((_, index) => index % runs(10, 1) === 0))(
      '%s',
      (name) => {
        const blob = readTree(name);
        const cells = cellOffsets(parseFdt(blob).root);
        const random = randomFrom(seed + corpus.indexOf(name));
        const cases = runs(20, 1000);
        let refused = 0;
        bounded(() => {
          for (let index = 0; index < cases; index++)
            if (answersOf(corrupt(blob, random, cells), index) === 0) refused++;
        });
        expect(refused).toBeGreaterThan(0);
        expect(refused).toBeLessThan(cases);
      },
      2 * TREE_LIMIT_MS,
    );
  });
}

function answersOf(damaged: Uint8Array, index: number): number {
  try {
    if (index % PRINT_EVERY === 0) printAndWrite(damaged);
    return fullDecode(damaged);
  } catch (error) {
    throw new Error(`case ${index} ends in ${String(error)}`, { cause: error });
  }
}

/** Jest's own limit cannot stop a loop that never yields; this becomes ERR_SCRIPT_EXECUTION_TIMEOUT. */
function bounded(work: () => void): void {
  new Script('work()').runInContext(createContext({ work }), { timeout: TREE_LIMIT_MS });
}
