// SPDX-License-Identifier: Apache-2.0
// Every resource operation fails once, each in its turn; what was held before is held afterwards (REQUIREMENTS R7).

import type { LinuxError } from '@irqkit/core';
import { ConformanceError } from '../expect/conformance-error.js';
import { expectThat, thrownBy } from '../expect/expect.js';
import type { Rig } from './rig.js';

export interface Swept {
  /** Makes ready for each attempt, with nothing failing; undone with it. */
  readonly prepare?: () => void;
  /** Takes resources. */
  readonly attempt: () => void;
  /** Gives back what an attempt that went through has taken. */
  readonly undo: () => void;
  /** Gives back what stands beside an attempt that failed; closes the rig where it is not given. */
  readonly clear?: () => void;
  /** Looks for what no list shows. */
  readonly verify?: (when: string) => void;
}

// More operations than this, and the attempt never succeeds.
const MOST_STEPS = 10_000;

/** Returns how many operations an attempt takes. @throws ConformanceError */
export function sweep(rig: Rig, what: string, { prepare, attempt, undo, clear, verify }: Swept): number {
  const before = rig.taken;
  for (let k = 1; k < MOST_STEPS; k++) {
    prepare?.();
    rig.faults.arm(k);
    const error = thrownBy(attempt);
    const injected = rig.faults.disarm();
    if (error === undefined) undo();
    else {
      expectThat(injected !== undefined, () => `${what} fails with no fault injected: ${error.message}`);
      expectThat(isCausedBy(error, injected), () => `${what}: ${error.message} hides "${injected.message}"`);
      if (clear) clear();
      else rig.close();
    }
    if (injected === undefined) return k - 1;
    const when = `after ${what} with operation ${k} failing (${injected.message})`;
    rig.expectTaken(before, when);
    verify?.(when);
  }
  throw new ConformanceError(`${what} takes more than ${MOST_STEPS} operations`);
}

function isCausedBy(error: unknown, injected: LinuxError): boolean {
  for (let cause = error; cause instanceof Error; cause = cause.cause) if (cause === injected) return true;
  return false;
}
