// SPDX-License-Identifier: Apache-2.0
// Every resource operation fails once, each in its turn; what was held before is held afterwards (REQUIREMENTS R7).

import type { LinuxError } from '@irqkit/core';
import { ConformanceError } from '../expect/conformance-error.js';
import { expectSame, expectThat, thrownBy } from '../expect/expect.js';
import { withRigs } from '../rig/rig.js';
import type { Rig } from '../rig/rig.js';
import { Listener } from '../sources/listener.js';
import type { MsiDevice } from '../sources/msi-device.js';
import { openDevice } from '../sources/msi-vectors.js';
import type { ChecksOfKind, IrqChipCheck, Subject } from './capabilities.js';
import { capacityOf } from './exhaustion.js';
import { openEverything } from './open-everything.js';

export const probeFaultChecks = (subject: Subject): readonly IrqChipCheck[] => [
  {
    title: 'a probe that fails at any step leaves nothing behind, and the next one works',
    run() {
      withRigs(1, subject.plugins, subject.setup, (rig) => {
        sweep(rig, 'probing', {
          attempt: () => void rig.probe(),
          undo: () => rig.teardown(),
        });
        rig.probe();
        expectDelivers(rig, openEverything(subject, rig));
      });
    },
  },
];

export const enableFaultChecks: ChecksOfKind = (subject, kind) => [
  {
    title: 'enabling that fails at any step leaves nothing behind, and the next one works',
    run() {
      withRigs(1, subject.plugins, subject.setup, (rig) => {
        rig.probe();
        // What the first device brings may stay: the bus's domain, a page of a table that hardware has cached.
        kind.open(rig);
        rig.close();
        const takesAll = kind.name === 'msi' && subject.supports('exhaustion') ? takingAll(openDevice(rig)) : undefined;
        sweep(rig, 'enabling', {
          attempt: () => void kind.open(rig),
          undo: () => rig.close(),
          verify: takesAll,
        });
        expectDelivers(rig, kind.open(rig));
      });
    },
  },
];

interface Swept {
  /** Takes resources. */
  readonly attempt: () => void;
  /** Gives back what an attempt that went through has taken. */
  readonly undo: () => void;
  /** Looks for what no list shows. */
  readonly verify?: (when: string) => void;
}

// More operations than this, and the attempt never succeeds.
const MOST_STEPS = 10_000;

function sweep(rig: Rig, what: string, { attempt, undo, verify }: Swept): void {
  const before = rig.taken;
  for (let k = 1; k < MOST_STEPS; k++) {
    rig.faults.arm(k);
    const error = thrownBy(attempt);
    const injected = rig.faults.disarm();
    if (error === undefined) undo();
    else {
      expectThat(injected !== undefined, () => `${what} fails with no fault injected: ${error.message}`);
      expectThat(isCausedBy(error, injected), () => `${what}: ${error.message} hides "${injected.message}"`);
      rig.close();
    }
    if (injected === undefined) return expectThat(k > 1, () => `${what} takes no resource at all`);
    const when = `after ${what} with operation ${k} failing (${injected.message})`;
    rig.expectTaken(before, when);
    verify?.(when);
  }
  throw new ConformanceError(`${what} takes more than ${MOST_STEPS} operations`);
}

/** A vector that was lost is missed when all are wanted. */
function takingAll(device: MsiDevice): (when: string) => void {
  const most = capacityOf(device);
  return (when) => {
    const error = thrownBy(() => device.enable(most));
    expectThat(error === undefined, () => `${when}: ${most} vectors are no longer there: ${error?.message}`);
    device.disable();
  };
}

function isCausedBy(error: unknown, injected: LinuxError): boolean {
  for (let cause = error; cause instanceof Error; cause = cause.cause) if (cause === injected) return true;
  return false;
}

function expectDelivers(rig: Rig, sources: ReturnType<typeof openEverything>): void {
  const listener = new Listener(rig, sources);
  for (const source of sources)
    expectSame(
      listener.labelsDuring(() => source.raise()),
      [source.label],
      `raising ${source.label} after all faults`,
    );
}
